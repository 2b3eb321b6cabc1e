import { VmAutostartDialog } from './autostart-dialog.ts';
import { CopyVmDialog } from './copy-dialog.ts';
import { DeleteVmDialog } from './delete-dialog.ts';
import { DiscDialog } from './disc-dialog.ts';
import { VmDiskDialog } from './disk-dialog.ts';
import { VmPage } from './machine-page.ts';
import { VmsPage } from './machines-page.ts';
import { VmOperations } from './operations.ts';
import { VmQuestion } from './question-dialog.ts';
import { VmScreen } from './screen/screen.ts';
import { SerialView } from './screen/serial-view.ts';
import { VmSettingsDialog } from './settings-dialog.ts';

/** The list of machines, the page of one machine, and its dialogs. */
customElements.define('wcc-machine-question', VmQuestion);
customElements.define('wcc-delete-machine-dialog', DeleteVmDialog);
customElements.define('wcc-copy-machine-dialog', CopyVmDialog);
customElements.define('wcc-machine-settings-dialog', VmSettingsDialog);
customElements.define('wcc-machine-autostart-dialog', VmAutostartDialog);
customElements.define('wcc-machine-disk-dialog', VmDiskDialog);
customElements.define('wcc-disc-dialog', DiscDialog);
customElements.define('wcc-machine-operations', VmOperations);
customElements.define('wcc-machine-screen', VmScreen);
customElements.define('wcc-serial-view', SerialView);
customElements.define('wcc-machines-page', VmsPage);
customElements.define('wcc-machine-page', VmPage);
