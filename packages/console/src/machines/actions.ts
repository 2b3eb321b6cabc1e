import type { Vm } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { icon } from '../ui/icons.ts';
import type { IconName } from '../ui/icons.ts';
import type { MachinesText } from './text/text.ts';

export type MachineOrder = 'start' | 'shutdown' | 'power-off' | 'reset' | 'copy' | 'delete';

export interface ActionsContext {
  machine: Vm;
  words: MachinesText;
  /** Nothing can be ordered now, and why. */
  offReason: string | null;
  onOrder: (order: MachineOrder) => void;
}

const icons: Readonly<Record<MachineOrder, IconName>> = {
  start: 'play',
  shutdown: 'power',
  'power-off': 'bolt',
  reset: 'reset',
  copy: 'copy',
  delete: 'bin',
};

/** The orders that this machine takes now from whoever looks; what cannot be is not there. */
export function machineActions({ machine, words, offReason, onOrder }: ActionsContext): TemplateResult {
  const { may } = machine;
  const button = (order: MachineOrder, isThere: boolean, look = ''): TemplateResult | typeof nothing =>
    isThere
      ? html`<button
          class="button ${look}"
          aria-disabled=${String(offReason !== null)}
          title=${offReason ?? words.orderHints[order]}
          @click=${() => (offReason === null ? onOrder(order) : undefined)}
        >
          ${icon(icons[order])}${words.orders[order]}
        </button>`
      : nothing;
  return html`<div class="end vm-actions">
    ${button('start', may.start, 'primary')} ${button('shutdown', may.shutdown)} ${button('reset', may.reset)}
    ${button('power-off', may.powerOff)} ${button('copy', may.copy)} ${button('delete', may.delete)}
  </div>`;
}
