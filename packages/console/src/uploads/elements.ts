import { UploadDialog } from './dialog.ts';
import { ImportDialog } from './import-dialog.ts';

export { createSender } from './engine/sender.ts';

/** The dialogs for upload and import, and the upload engine. */
customElements.define('wcc-upload-dialog', UploadDialog);
customElements.define('wcc-import-dialog', ImportDialog);
