import type { Vm } from '@wcc/api';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { App } from '../app/app.ts';
import { vmPageOf, openScreenParam } from '../app/router.ts';
import { liveRow } from '../operations/live-row.ts';
import type { OperationEntry } from '../operations/operation-entry.ts';
import { pendingRow } from '../operations/rows.ts';
import { count, size } from '../text/format.ts';
import { icon } from '../ui/icons.ts';
import { startVerb } from './actions.ts';
import { createdVmName } from './pending-rows.ts';
import { vmStateBadge } from './state-badge.ts';
import type { VmsText } from './text/text.ts';

export interface VmRowContext {
  app: App;
  words: VmsText;
  /** UUID of the machine that a command is being sent to. */
  busy: string | null;
  onStart: (vm: Vm) => void;
}

/** Table row of a machine. While an operation works on it, the row shows that operation. */
export function vmRow(vm: Vm, context: VmRowContext): TemplateResult {
  const { app, words } = context;
  const { locale } = app.preferences;
  const isBusyWithOperation =
    vm.operation !== null && app.signedIn?.operations.get(vm.operation) !== undefined;
  if (isBusyWithOperation) return busyRow(vm, app);
  return html`<tr role="row" data-machine=${vm.uuid}>
    <td role="cell" class="main">${nameOf(vm, app)} ${marks(vm, words)}</td>
    <td role="cell" data-label=${words.state}>${vmStateBadge(vm, words)}</td>
    <td role="cell" class="number" data-label=${words.cpus}>${count(vm.cpus, locale)}</td>
    <td role="cell" class="number" data-label=${words.memory}>${size(vm.memoryBytes)}</td>
    <td role="cell" class="number" data-label=${words.disks}>${size(diskBytesOf(vm))}</td>
    <td role="cell" class=${vm.ownerName === null ? 'none' : ''} data-label=${words.owner}>
      <bdi translate="no">${vm.ownerName ?? ''}</bdi>
    </td>
    <td role="cell" class="act">${actions(vm, context)}</td>
  </tr>`;
}

export function diskBytesOf({ disks }: Vm): number {
  return disks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function nameOf({ id, name }: Vm, { router }: App): TemplateResult {
  const label = html`<bdi class="name" translate="no">${name}</bdi>`;
  if (id === null) return label;
  return html`<a class="row-link" href=${vmPageOf(id)} @click=${router.onLink}>${label}</a
    ><span class="id">#${id}</span>`;
}

function marks({ foreign }: Vm, words: VmsText): TemplateResult | typeof nothing {
  if (!foreign) return nothing;
  return html`<span class="tag" title=${words.foreignHint}>${icon('lock')}${words.foreign}</span>`;
}

function actions(vm: Vm, { app, words, busy, onStart }: VmRowContext): unknown {
  const { id, name, may } = vm;
  const isOff = busy === vm.uuid || app.signedIn?.connection.isOnline === false;
  if (may.start)
    return html`<button
      class="button small"
      aria-label=${words.startNamed(name)}
      aria-disabled=${String(isOff)}
      @click=${() => (isOff ? undefined : onStart(vm))}
    >
      ${icon('play')}${startVerb(vm, words)}
    </button>`;
  if (may.screen && id !== null)
    return html`<a
      class="button small"
      href="${vmPageOf(id)}?${openScreenParam}"
      aria-label=${words.screenOf(name)}
      @click=${app.router.onLink}
      >${icon('screen')}${words.screen}</a
    >`;
  return nothing;
}

function busyRow(vm: Vm, app: App): TemplateResult {
  return html`<tr role="row" class="making" data-machine=${vm.uuid} data-operation=${vm.operation}>
    <td role="cell" class="main">${nameOf(vm, app)}</td>
    <td role="cell" class="bar" colspan="6">${liveRow(app, vm.operation ?? '', { compact: true })}</td>
  </tr>`;
}

/** A machine that is not in the list yet, or whose creation failed and was not dismissed. */
export function pendingVmRow({ snapshot }: OperationEntry, app: App): TemplateResult {
  return pendingRow(app, { id: snapshot.id, name: createdVmName(snapshot) ?? '', columns: 7 });
}
