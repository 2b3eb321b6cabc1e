import { machinesOf } from '../state/machines.ts';
import type { MachinesState } from '../state/machines.ts';
import { machinesTextOf } from '../text/machines-catalogue.ts';
import type { MachinesText } from '../text/machines-text.ts';
import { FormDialog } from './form-dialog.ts';

/** Base of the dialogs about machines. */
export abstract class MachineDialog extends FormDialog {
  protected get closeWord(): string {
    return this.words.cancel;
  }

  protected get words(): MachinesText {
    return machinesTextOf(this.app.preferences);
  }

  protected get machines(): MachinesState {
    return machinesOf(this.app);
  }

  /** Names that no further machine can have. */
  protected get taken(): string[] {
    return this.machines.machines.map(({ name }) => name);
  }
}
