import type { Vm } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { icon } from '../ui/icons.ts';
import type { IconName } from '../ui/icons.ts';
import type { VmsText } from './text/text.ts';

export type VmCommand =
  'start' | 'shutdown' | 'power-off' | 'reset' | 'discard-saved-state' | 'adopt' | 'copy' | 'delete';

export interface ActionsContext {
  vm: Vm;
  words: VmsText;
  /** Why no command is possible now; `null` when commands are possible. */
  disabledReason: string | null;
  onCommand: (command: VmCommand) => void;
}

const icons: Readonly<Record<VmCommand, IconName>> = {
  start: 'play',
  shutdown: 'power',
  'power-off': 'bolt',
  reset: 'reset',
  'discard-saved-state': 'bin',
  adopt: 'check',
  copy: 'copy',
  delete: 'bin',
};

/** What `start` does in this state. */
export function startVerb({ state }: Vm, { start, startVerbs }: VmsText): string {
  return state === 'paused' || state === 'suspended' || state === 'saved' ? startVerbs[state] : start;
}

/** Buttons for the commands that the user can give this machine now. */
export function vmActions({ vm, words, disabledReason, onCommand }: ActionsContext): TemplateResult {
  const { may } = vm;
  const button = (command: VmCommand, isAllowed: boolean, look = ''): TemplateResult | typeof nothing =>
    isAllowed
      ? html`<button
          class="button ${look}"
          aria-disabled=${String(disabledReason !== null)}
          title=${disabledReason ?? words.commandHints[command]}
          @click=${() => (disabledReason === null ? onCommand(command) : undefined)}
        >
          ${icon(icons[command])}${command === 'start' ? startVerb(vm, words) : words.commands[command]}
        </button>`
      : nothing;
  return html`<div class="end vm-actions">
    ${button('start', may.start, 'primary')} ${button('shutdown', may.shutdown)} ${button('reset', may.reset)}
    ${button('discard-saved-state', may.discardSavedState)} ${button('power-off', may.powerOff)}
    ${button('copy', may.copy)} ${button('delete', may.delete)}
  </div>`;
}
