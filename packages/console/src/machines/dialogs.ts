import type { Vm, VmDisk } from '@wcc/api';
import { html } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import type { Question } from '../ui/confirm-dialog.ts';

/** Which dialog of the machine's page is open. */
export type OpenVmDialog =
  | { kind: 'ask'; question: Question }
  | { kind: 'delete' }
  | { kind: 'copy' }
  | { kind: 'settings' }
  | { kind: 'autostart' }
  | { kind: 'disk'; disk: VmDisk | null }
  | { kind: 'disc' };

export interface VmDialogEvents {
  onClosed: () => void;
  onDeleted: () => void;
  onCopied: (id: number | string | null) => void;
}

export function vmDialog(
  app: App,
  { vm, dialog }: { vm: Vm; dialog: OpenVmDialog },
  { onClosed, onDeleted, onCopied }: VmDialogEvents,
): TemplateResult {
  switch (dialog.kind) {
    case 'ask':
      return html`<wcc-machine-question
        .app=${app}
        .question=${dialog.question}
        .onClosed=${onClosed}
      ></wcc-machine-question>`;
    case 'delete':
      return html`<wcc-delete-machine-dialog
        .app=${app}
        .vm=${vm}
        .onDeleted=${onDeleted}
        .onClosed=${onClosed}
      ></wcc-delete-machine-dialog>`;
    case 'copy':
      return html`<wcc-copy-machine-dialog
        .app=${app}
        .vm=${vm}
        .onCreated=${onCopied}
        .onClosed=${onClosed}
      ></wcc-copy-machine-dialog>`;
    case 'settings':
      return html`<wcc-machine-settings-dialog
        .app=${app}
        .vm=${vm}
        .onClosed=${onClosed}
      ></wcc-machine-settings-dialog>`;
    case 'autostart':
      return html`<wcc-machine-autostart-dialog
        .app=${app}
        .vm=${vm}
        .onClosed=${onClosed}
      ></wcc-machine-autostart-dialog>`;
    case 'disk':
      return html`<wcc-machine-disk-dialog
        .app=${app}
        .vm=${vm}
        .disk=${dialog.disk}
        .onClosed=${onClosed}
      ></wcc-machine-disk-dialog>`;
    case 'disc':
    default:
      return html`<wcc-disc-dialog .app=${app} .vm=${vm} .onClosed=${onClosed}></wcc-disc-dialog>`;
  }
}
