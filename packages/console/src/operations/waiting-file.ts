import { formatBytes, percent } from '@wcc/progress';
import type { Snapshot } from '@wcc/progress';
import type { OperationsText } from './text/text.ts';

/** True for an upload that no client sends; it can resume from the same file. */
export function isWaitingForFile({ state, stateReason }: Snapshot): boolean {
  return state === 'interrupted' && stateReason?.code === 'waiting_for_client';
}

/** Asks for the file of an unfinished upload. The size distinguishes files of the same name. */
export function chooseAgainText(snapshot: Snapshot, { list }: OperationsText): string {
  const { target, subject, phases, phaseIndex } = snapshot;
  const name = target?.name ?? subject.name;
  const phase = phases[phaseIndex];
  if (phase === undefined || !('done' in phase) || phase.total === null) return list.chooseAgain(name, '');
  const done = percent(phase.done, phase.total) ?? 0;
  const at = done > 0 ? `${Math.min(done, 99.9).toFixed(1)} %` : '';
  return list.chooseAgain(`${name} (${formatBytes(phase.total)})`, at);
}
