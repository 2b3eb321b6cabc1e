import type { Phase } from '@wcc/progress';
import { describe, expect, it } from 'vitest';
import { endPhases, enterPhase, fallBack, newRecord, stopPhase, withProgress, withState } from './record.ts';
import type { OperationRecord } from './record.ts';

function record(): OperationRecord {
  return newRecord({
    id: 'a'.repeat(26),
    action: 'copy_vm_image',
    subject: { kind: 'image', id: 100, name: 'a.raw' },
    target: null,
    owner: 'u',
    ownerName: 'u',
    phases: ['inspect', 'clone', 'transfer', 'flush', 'publish'],
    createdAt: '2026-01-01T00:00:00.000Z',
  });
}

const states = ({ phases }: OperationRecord): string =>
  phases.map(({ name, state }) => `${name}:${state}`).join(' ');
const transfer = { phase: 'transfer', unit: 'bytes', total: 100 } as const;
const numbers = { bytes: null, sinceProgressMs: 0, phaseElapsedMs: 5, total: 100 };

describe('the phases of a record', () => {
  it('earlier phases are done; refused and omitted phases are skipped', () => {
    const inspected = enterPhase(record(), { phase: 'inspect', unit: null, total: null });
    const cloning = enterPhase(inspected, { phase: 'clone', unit: null, total: null });
    const moving = enterPhase(cloning, { ...transfer, skipped: ['clone'] });
    expect(states(moving)).toBe('inspect:done clone:skipped transfer:running flush:pending publish:pending');
    const publishing = enterPhase(cloning, { phase: 'publish', unit: null, total: null });
    expect(states(publishing)).toBe('inspect:done clone:done transfer:skipped flush:skipped publish:running');
  });

  it('a resumed copy stays in its phase while it repeats its inspection', () => {
    const moving = enterPhase(record(), transfer);
    const again = enterPhase(moving, { phase: 'inspect', unit: null, total: null });
    expect(again.phaseIndex).toBe(moving.phaseIndex);
    expect(states(again)).toBe(states(moving));
  });

  it('done never falls and never exceeds the total; durable never exceeds done', () => {
    const moving = enterPhase(record(), transfer);
    const far = withProgress(moving, { ...numbers, phase: 'transfer', done: 60, durable: 70 });
    expect(far.phases[2]).toMatchObject({ done: 60, durable: 60 });
    const behind = withProgress(far, { ...numbers, phase: 'transfer', done: 40, durable: 40 });
    expect(behind.phases[2]).toMatchObject({ done: 60, durable: 40 });
    const beyond = withProgress(far, { ...numbers, phase: 'transfer', done: 140, durable: 0 });
    expect(beyond.phases[2]).toMatchObject({ done: 100 });
  });

  it('numbers of another phase do not change the current phase', () => {
    const moving = enterPhase(record(), transfer);
    expect(withProgress(moving, { ...numbers, phase: 'flush', done: 0, durable: 0 }).phases).toEqual(
      moving.phases,
    );
  });

  it('after a crash the current phase falls back to its durable units, or to zero', () => {
    const far = withProgress(enterPhase(record(), transfer), {
      ...numbers,
      phase: 'transfer',
      done: 60,
      durable: 30,
    });
    expect(fallBack(far, { phase: 'transfer', done: 45 }).phases[2]).toMatchObject({ done: 45, durable: 45 });
    expect(fallBack(far, null).phases[2]).toMatchObject({ done: 0, durable: 0 });
  });

  it('at the end each phase that ran is done with its total, and the others are skipped', () => {
    const moving = enterPhase(record(), transfer);
    const ended = endPhases(moving, {
      bytes: null,
      method: null,
      warnings: [],
      phases: [
        { name: 'flush', elapsedMs: 3 },
        { name: 'publish', elapsedMs: 1 },
      ],
    });
    expect(states(ended)).toBe('inspect:skipped clone:skipped transfer:done flush:done publish:done');
    expect((ended.phases[2] as Phase).done).toBe(100);
  });
});

describe('the phase in which an operation stops', () => {
  it.each([
    ['failed', 'failed'],
    ['cancelled', 'skipped'],
  ] as const)('of a %s operation is %s; later phases stay pending', (state, phaseState) => {
    const running = enterPhase(withState(record(), 'running'), {
      phase: 'transfer',
      unit: 'bytes',
      total: 100,
    });
    expect(states(stopPhase(withState(running, state)))).toBe(
      `inspect:skipped clone:skipped transfer:${phaseState} flush:pending publish:pending`,
    );
  });
});

describe('the state of a record', () => {
  it('a record allows only the transitions of the state machine', () => {
    const running = withState(record(), 'running');
    expect(withState(running, 'paused', { code: 'requested' }).stateReason).toEqual({ code: 'requested' });
    expect(() => withState(record(), 'succeeded')).toThrow(/queued → succeeded/);
    expect(() => withState(withState(running, 'failed'), 'running')).toThrow(/failed → running/);
  });
});
