import { ConvertDialog } from './components/convert-dialog.ts';
import { CopyDialog } from './components/copy-dialog.ts';
import { DeleteDialog } from './components/delete-dialog.ts';
import { VerifyDialog } from './components/verify-dialog.ts';
import { ImagePage } from './pages/image.ts';

/** Everything about one image and what is done with it: loaded when somebody wants to. */
customElements.define('wcc-copy-dialog', CopyDialog);
customElements.define('wcc-convert-dialog', ConvertDialog);
customElements.define('wcc-verify-dialog', VerifyDialog);
customElements.define('wcc-delete-dialog', DeleteDialog);
customElements.define('wcc-image-page', ImagePage);
