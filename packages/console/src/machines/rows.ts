import type { Vm } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { machinePageOf, openScreenParam } from '../app/router.ts';
import { liveRow } from '../operations/live-row.ts';
import type { OperationEntry } from '../operations/operation-entry.ts';
import { pendingRow } from '../operations/rows.ts';
import { count, size } from '../text/format.ts';
import { icon } from '../ui/icons.ts';
import { madeMachineOf } from './pending-rows.ts';
import { machineState } from './state-badge.ts';
import type { MachinesText } from './text/text.ts';

export interface MachineRowContext {
  app: App;
  words: MachinesText;
  /** Uuid of the machine that an order is on its way to. */
  busy: string | null;
  onStart: (machine: Vm) => void;
}

/** A machine; while an operation works on it, its row carries that bar. */
export function machineRow(machine: Vm, context: MachineRowContext): TemplateResult {
  const { app, words } = context;
  const { locale } = app.preferences;
  const isWorked =
    machine.operation !== null && app.signedIn?.operations.get(machine.operation) !== undefined;
  if (isWorked) return workedRow(machine, app);
  return html`<tr role="row" data-machine=${machine.uuid}>
    <td role="cell" class="main">${nameOf(machine, app)} ${marks(machine, words)}</td>
    <td role="cell" data-label=${words.state}>${machineState(machine, words)}</td>
    <td role="cell" class="number" data-label=${words.cpus}>${count(machine.cpus, locale)}</td>
    <td role="cell" class="number" data-label=${words.memory}>${size(machine.memoryBytes)}</td>
    <td role="cell" class="number" data-label=${words.disks}>${size(diskBytesOf(machine))}</td>
    <td role="cell" class=${machine.ownerName === null ? 'none' : ''} data-label=${words.owner}>
      <bdi translate="no">${machine.ownerName ?? ''}</bdi>
    </td>
    <td role="cell" class="act">${actions(machine, context)}</td>
  </tr>`;
}

export function diskBytesOf({ disks }: Vm): number {
  return disks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function nameOf({ id, name }: Vm, { router }: App): TemplateResult {
  const label = html`<bdi class="name" translate="no">${name}</bdi>`;
  if (id === null) return label;
  return html`<a class="row-link" href=${machinePageOf(id)} @click=${router.onLink}>${label}</a
    ><span class="id">#${id}</span>`;
}

function marks({ foreign }: Vm, words: MachinesText): TemplateResult | typeof nothing {
  if (!foreign) return nothing;
  return html`<span class="tag" title=${words.foreignHint}>${icon('lock')}${words.foreign}</span>`;
}

function actions(machine: Vm, { app, words, busy, onStart }: MachineRowContext): unknown {
  const { id, name, may } = machine;
  const isOff = busy === machine.uuid || app.signedIn?.connection.isOnline === false;
  if (may.start)
    return html`<button
      class="button small"
      aria-label=${words.startNamed(name)}
      aria-disabled=${String(isOff)}
      @click=${() => (isOff ? undefined : onStart(machine))}
    >
      ${icon('play')}${words.start}
    </button>`;
  if (may.screen && id !== null)
    return html`<a
      class="button small"
      href="${machinePageOf(id)}?${openScreenParam}"
      aria-label=${words.screenOf(name)}
      @click=${app.router.onLink}
      >${icon('screen')}${words.screen}</a
    >`;
  return nothing;
}

function workedRow(machine: Vm, app: App): TemplateResult {
  return html`<tr role="row" class="making" data-machine=${machine.uuid} data-operation=${machine.operation}>
    <td role="cell" class="main">${nameOf(machine, app)}</td>
    <td role="cell" class="bar" colspan="6">${liveRow(app, machine.operation ?? '', { compact: true })}</td>
  </tr>`;
}

/** A machine that is not in the list yet, or whose creation failed and was not dismissed. */
export function makingMachineRow({ snapshot }: OperationEntry, app: App): TemplateResult {
  return pendingRow(app, { id: snapshot.id, name: madeMachineOf(snapshot) ?? '', columns: 7 });
}
