import type { Snapshot } from '@wcc/progress';
import { sampleSnapshot } from './sample-snapshot.ts';

/** The operation of the scripted session; its id has the form of every operation id. */
export const scriptedOperation: string = 'scriptedsessionscriptedsea';

const createdAt = '2026-01-02T03:04:05.000Z';
const totalBytes = 100;

export interface ScriptedStep {
  epoch: string;
  seq: number;
  /** Bytes done, 0 to 100. */
  done: number;
  /** @default 'running' */
  state?: 'running' | 'succeeded';
}

/** The scripted operation at one step: a copy of 100 bytes. */
export function scriptedSnapshot({ epoch, seq, done, state = 'running' }: ScriptedStep): Snapshot {
  const isOver = state === 'succeeded';
  const elapsedMs = seq * 1000;
  const phase = { name: 'copy', unit: 'bytes', done, durable: done, total: totalBytes, elapsedMs } as const;
  return sampleSnapshot({
    id: scriptedOperation,
    epoch,
    seq,
    at: createdAt,
    state,
    phases: [{ ...phase, state: isOver ? 'done' : 'running' }],
    phaseIndex: 0,
    rate: null,
    etaMs: null,
    etaAbsence: isOver ? 'not_running' : 'too_early',
    bytes: null,
    elapsedMs,
    createdAt,
    startedAt: createdAt,
    endedAt: isOver ? createdAt : null,
    result: isOver ? { kind: 'image', id: 101 } : null,
  });
}
