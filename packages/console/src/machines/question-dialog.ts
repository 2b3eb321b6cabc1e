import { ConfirmDialog } from '../ui/confirm-dialog.ts';

/** Asks before a command that affects a running machine. Each element needs a class of its own. */
export class VmQuestion extends ConfirmDialog {
  protected override readonly idPrefix = 'vm-ask';
}
