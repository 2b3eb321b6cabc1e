import { ConvertDialog } from './convert-dialog.ts';
import { CopyDialog } from './copy-dialog.ts';
import { DeleteDialog } from './delete-dialog.ts';
import { ImagePage } from './image-page.ts';
import { ImagesPage } from './images-page.ts';
import { AcceptBaseDialog, PublishDialog } from './order-dialogs.ts';
import { VerifyDialog } from './verify-dialog.ts';

/** The list of images, the page of one image, and its dialogs. */
customElements.define('wcc-copy-dialog', CopyDialog);
customElements.define('wcc-convert-dialog', ConvertDialog);
customElements.define('wcc-verify-dialog', VerifyDialog);
customElements.define('wcc-delete-dialog', DeleteDialog);
customElements.define('wcc-publish-dialog', PublishDialog);
customElements.define('wcc-accept-base-dialog', AcceptBaseDialog);
customElements.define('wcc-images-page', ImagesPage);
customElements.define('wcc-image-page', ImagePage);
