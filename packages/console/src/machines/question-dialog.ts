import { ConfirmDialog } from '../ui/confirm-dialog.ts';

/** Asks before a command that a running machine notices. A class of its own, because an element needs one. */
export class VmQuestion extends ConfirmDialog {
  protected override readonly idPrefix = 'vm-ask';
}
