/**
 * The texts of a row as pure functions that need no DOM. A command line, or a page with its own bar, describes an
 * operation in the same words as the element.
 */
export { describeRow } from './describe.ts';
export type { RowBar, RowContext, RowLook, RowView } from './row-view.ts';
export { actionName, durationText, phaseName, reasonText, warningText } from './text/names.ts';
export { textOf } from './text/catalogue.ts';
export type { Locale, RowText } from './text/row-text.ts';
