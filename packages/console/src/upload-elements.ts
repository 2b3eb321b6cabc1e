import { ImportDialog } from './components/import-dialog.ts';
import { UploadDialog } from './components/upload-dialog.ts';

export { createSender } from './state/uploads/sender.ts';

/** Everything that sends or fetches files: loaded when somebody wants to. */
customElements.define('wcc-upload-dialog', UploadDialog);
customElements.define('wcc-import-dialog', ImportDialog);
