import type { Snapshot } from '@wcc/progress';
import { namesOf, rowOf } from '../output/human.ts';
import type { BarLine } from './bar.ts';

export interface Receipt {
  isOnline: boolean;
  sinceReceiptMs: number;
}

/** An operation as one line. */
export function lineOf(snapshot: Snapshot, receipt: Receipt): BarLine {
  // Whose it is and since when, somebody who waits for it knows.
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

/** What is told at once when it changes: state, phase, connection. */
export function keyOf({ state, stateReason, phases, phaseIndex }: Snapshot, { isOnline }: Receipt): string {
  // Of a running one only the phases that last: the rest would be a line for each blink.
  const phase = phases[phaseIndex];
  const lasts = state === 'running' && (phase?.elapsedMs ?? 0) >= 1000 ? phase?.name : '';
  return [state, stateReason?.code ?? '', lasts ?? '', isOnline ? '' : 'offline'].join('/');
}
