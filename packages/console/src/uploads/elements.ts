import { UploadDialog } from './dialog.ts';
import { ImportDialog } from './import-dialog.ts';

export { createSender } from './engine/sender.ts';

/** Everything that sends or fetches files: loaded when somebody wants to. */
customElements.define('wcc-upload-dialog', UploadDialog);
customElements.define('wcc-import-dialog', ImportDialog);
