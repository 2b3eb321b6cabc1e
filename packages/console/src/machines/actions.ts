import type { Vm } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { icon } from '../ui/icons.ts';
import type { IconName } from '../ui/icons.ts';
import type { VmsText } from './text/text.ts';

export type VmCommand = 'start' | 'shutdown' | 'power-off' | 'reset' | 'copy' | 'delete';

export interface ActionsContext {
  vm: Vm;
  words: VmsText;
  /** Why no command is possible now; `null` when commands are possible. */
  disabledReason: string | null;
  onCommand: (order: VmCommand) => void;
}

const icons: Readonly<Record<VmCommand, IconName>> = {
  start: 'play',
  shutdown: 'power',
  'power-off': 'bolt',
  reset: 'reset',
  copy: 'copy',
  delete: 'bin',
};

/** Buttons for the commands that the user can give this machine now. */
export function vmActions({ vm, words, disabledReason, onCommand }: ActionsContext): TemplateResult {
  const { may } = vm;
  const button = (order: VmCommand, isThere: boolean, look = ''): TemplateResult | typeof nothing =>
    isThere
      ? html`<button
          class="button ${look}"
          aria-disabled=${String(disabledReason !== null)}
          title=${disabledReason ?? words.commandHints[order]}
          @click=${() => (disabledReason === null ? onCommand(order) : undefined)}
        >
          ${icon(icons[order])}${words.commands[order]}
        </button>`
      : nothing;
  return html`<div class="end vm-actions">
    ${button('start', may.start, 'primary')} ${button('shutdown', may.shutdown)} ${button('reset', may.reset)}
    ${button('power-off', may.powerOff)} ${button('copy', may.copy)} ${button('delete', may.delete)}
  </div>`;
}
