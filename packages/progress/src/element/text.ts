/**
 * The texts of a row as pure functions that need no DOM. A command line, or a page with its own bar, describes an
 * operation in the same words as the element.
 */
export { describeRow } from './describe.ts';
export type { FeedState, RowBar, RowLook, RowNote, RowOptions, RowView } from './row-view.ts';
export {
  actionName,
  amountText,
  durationText,
  phaseName,
  reasonText,
  timeLeftText,
  warningText,
} from './text/names.ts';
export { registerLocale } from './text/registry.ts';
export type { Catalogue } from './text/catalogue.ts';
export type { LocaleFormat } from './text/format.ts';
