import type { Snapshot } from '@wcc/progress';
import { namesOf, rowOf } from '../output/human.ts';
import type { BarLine } from './bar.ts';

/** State of the connection, and age of the snapshot. */
export interface Receipt {
  isOnline: boolean;
  sinceReceiptMs: number;
}

/** The progress line of an operation. */
export function lineOf(snapshot: Snapshot, receipt: Receipt): BarLine {
  // Omits owner and age, because the user who waits knows them.
  const row = rowOf({ ...snapshot, ownerName: '', elapsedMs: 0 }, receipt);
  const bar = row.bar === 'hidden' ? null : row.bar;
  return {
    name: namesOf(snapshot),
    value: bar?.value ?? null,
    percent: row.percent,
    parts: [
      row.status,
      ...row.numbers.split(' · '),
      row.detail,
      receipt.isOnline ? '' : 'no connection to the server',
    ],
    look: row.look,
  };
}

/** A key of state, phase and connection; a new key is written at once. */
export function changeKeyOf(
  { state, stateReason, phases, phaseIndex }: Snapshot,
  { isOnline }: Receipt,
): string {
  // Ignores phases shorter than a second, so that they do not print a line.
  const phase = phases[phaseIndex];
  const lasts = state === 'running' && (phase?.elapsedMs ?? 0) >= 1000 ? phase?.name : '';
  return [state, stateReason?.code ?? '', lasts ?? '', isOnline ? '' : 'offline'].join('/');
}
