import type { Vm, VmState } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { icon } from '../ui/icons.ts';
import type { IconName } from '../ui/icons.ts';
import type { VmsText } from './text/text.ts';

const icons: Readonly<Record<VmState, IconName>> = {
  making: 'clock',
  running: 'play',
  shut_off: 'power',
  paused: 'pause',
  suspended: 'pause',
  saved: 'power',
  crashed: 'alert',
  unknown: 'unknown',
};

/** The state of a machine as icon and word, with its reason if known. */
export function vmStateBadge(vm: Vm, { states, stateReasons }: VmsText): TemplateResult {
  const { state, stateReason } = vm;
  return html`<span class="vm-state ${state}"
    >${icon(icons[state])}<span
      >${states[state]}${stateReason === null ? nothing : html`<span class="why">${stateReasons[stateReason.code]}</span>`}</span
    ></span
  >`;
}
