import { CopyMachineDialog } from './components/copy-machine-dialog.ts';
import { DeleteMachineDialog } from './components/delete-machine-dialog.ts';
import { DiscDialog } from './components/disc-dialog.ts';
import { MachineDiskDialog } from './components/machine-disk-dialog.ts';
import { MachineOperations } from './components/machine-operations.ts';
import { MachineQuestion } from './components/machine-question.ts';
import { MachineScreen } from './components/machine-screen.ts';
import { MachineSettingsDialog } from './components/machine-settings-dialog.ts';
import { SerialView } from './components/serial-view.ts';
import { MachinePage } from './pages/machine.ts';
import { defineQuickCreate } from './quick-create-element.ts';
import { MachinesPage } from './pages/machines.ts';

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
defineQuickCreate();
