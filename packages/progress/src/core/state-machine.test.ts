import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { ProgressError } from './errors.ts';
import { OPERATION_STATES, assertTransition, isTerminal, mayInState, nextStates } from './state-machine.ts';

describe('state machine', () => {
  it('ends in succeeded, failed and cancelled only', () => {
    expect(OPERATION_STATES.filter(isTerminal)).toEqual(['succeeded', 'failed', 'cancelled']);
  });

  it('throws exactly at what the table does not hold', () => {
    const codeOf = (attempt: () => void): string => {
      try {
        attempt();
        return 'allowed';
      } catch (error) {
        return error instanceof ProgressError ? error.code : String(error);
      }
    };
    for (const from of OPERATION_STATES) {
      for (const to of OPERATION_STATES) {
        const wanted = nextStates(from).includes(to) ? 'allowed' : 'invalid_transition';
        expect(codeOf(() => assertTransition(from, to))).toBe(wanted);
      }
    }
    expect(() => assertTransition('succeeded', 'running')).toThrow(ProgressError);
  });

  it('reaches an end from everywhere, by way of cancelling at least', () => {
    for (const state of OPERATION_STATES) {
      if (isTerminal(state)) continue;
      expect(state === 'cancelling' || nextStates(state).includes('cancelling')).toBe(true);
      expect(nextStates(state)).toContain('failed');
    }
    expect(nextStates('cancelling')).toEqual(['cancelled', 'succeeded', 'failed']);
  });

  it('never leaves an end on a random walk', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 40 }), (choices) => {
        let state = OPERATION_STATES[0]!;
        let ends = 0;
        for (const choice of choices) {
          const next = nextStates(state);
          if (next.length === 0) break;
          state = next[choice % next.length]!;
          if (isTerminal(state)) ends += 1;
        }
        expect(ends).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('admits each verb where it makes sense', () => {
    const copy = (verb: Parameters<typeof mayInState>[1]): string[] =>
      OPERATION_STATES.filter((state) => mayInState({ state, action: 'copy_vm_image' }, verb));
    expect(copy('cancel')).toEqual(OPERATION_STATES.filter((state) => !isTerminal(state)));
    expect(copy('pause')).toEqual(['running']);
    expect(copy('resume')).toEqual(['paused']);
    expect(copy('retry')).toEqual(['failed', 'cancelled']);
    expect(mayInState({ state: 'running', action: 'delete_image' }, 'pause')).toBe(false);
    expect(mayInState({ state: 'running', action: 'delete_image' }, 'cancel')).toBe(true);
  });
});
