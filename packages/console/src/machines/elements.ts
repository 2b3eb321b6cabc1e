import { CopyMachineDialog } from './copy-dialog.ts';
import { DeleteMachineDialog } from './delete-dialog.ts';
import { DiscDialog } from './disc-dialog.ts';
import { MachineDiskDialog } from './disk-dialog.ts';
import { MachinePage } from './machine-page.ts';
import { MachinesPage } from './machines-page.ts';
import { MachineOperations } from './operations.ts';
import { MachineQuestion } from './question-dialog.ts';
import { MachineScreen } from './screen/screen.ts';
import { SerialView } from './screen/serial-view.ts';
import { MachineSettingsDialog } from './settings-dialog.ts';

/** The list of machines and the page of one: loaded with the first of them. */
customElements.define('wcc-machine-question', MachineQuestion);
customElements.define('wcc-delete-machine-dialog', DeleteMachineDialog);
customElements.define('wcc-copy-machine-dialog', CopyMachineDialog);
customElements.define('wcc-machine-settings-dialog', MachineSettingsDialog);
customElements.define('wcc-machine-disk-dialog', MachineDiskDialog);
customElements.define('wcc-disc-dialog', DiscDialog);
customElements.define('wcc-machine-operations', MachineOperations);
customElements.define('wcc-machine-screen', MachineScreen);
customElements.define('wcc-serial-view', SerialView);
customElements.define('wcc-machines-page', MachinesPage);
customElements.define('wcc-machine-page', MachinePage);
