import { QuickCreateDialog } from './dialog.ts';

/** The dialog that creates a machine from an image and a name. */
customElements.define('wcc-quick-create-dialog', QuickCreateDialog);
