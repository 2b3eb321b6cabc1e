import { QuickCreateDialog } from './dialog.ts';

const name = 'wcc-quick-create-dialog';

/** Several parts that are loaded later want this dialog: the first of them defines it. */
export function defineQuickCreate(): void {
  if (customElements.get(name) === undefined) customElements.define(name, QuickCreateDialog);
}
