import { ConvertDialog } from './convert-dialog.ts';
import { CopyDialog } from './copy-dialog.ts';
import { DeleteDialog } from './delete-dialog.ts';
import { VerifyDialog } from './verify-dialog.ts';
import { ImagePage } from './image-page.ts';

/** Everything about one image and what is done with it: loaded when somebody wants to. */
customElements.define('wcc-copy-dialog', CopyDialog);
customElements.define('wcc-convert-dialog', ConvertDialog);
customElements.define('wcc-verify-dialog', VerifyDialog);
customElements.define('wcc-delete-dialog', DeleteDialog);
customElements.define('wcc-image-page', ImagePage);
