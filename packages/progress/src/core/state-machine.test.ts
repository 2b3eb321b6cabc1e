import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { ProgressError } from './errors.ts';
import { operationStates, assertTransition, isTerminal, mayInState, nextStates } from './state-machine.ts';
import type { OperationVerb } from './state-machine.ts';
import type { OperationState } from './snapshot.ts';
import { sampleSnapshot } from '../testing/sample-snapshot.ts';

describe('state machine', () => {
  it('has exactly succeeded, failed and cancelled as terminal states', () => {
    expect(operationStates.filter(isTerminal)).toEqual(['succeeded', 'failed', 'cancelled']);
  });

  it('throws exactly at transitions outside the table', () => {
    const codeOf = (attempt: () => void): string => {
      try {
        attempt();
        return 'allowed';
      } catch (error) {
        return error instanceof ProgressError ? error.code : String(error);
      }
    };
    for (const from of operationStates) {
      for (const to of operationStates) {
        const wanted = nextStates(from).includes(to) ? 'allowed' : 'invalid_transition';
        expect(codeOf(() => assertTransition(from, to))).toBe(wanted);
      }
    }
    expect(() => assertTransition('succeeded', 'running')).toThrow(ProgressError);
  });

  it('can fail and cancel from every state that is not terminal', () => {
    for (const state of operationStates) {
      if (isTerminal(state)) continue;
      expect(state === 'cancelling' || nextStates(state).includes('cancelling')).toBe(true);
      expect(nextStates(state)).toContain('failed');
    }
    expect(nextStates('cancelling')).toEqual(['cancelled', 'succeeded', 'failed']);
  });

  it('never leaves a terminal state on a random walk', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 40 }), (choices) => {
        let state = operationStates[0]!;
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

  it('allows each verb in the states where it applies', () => {
    const statesFor = (verb: OperationVerb): string[] =>
      operationStates.filter((state) => mayInState({ state }, verb));
    expect(statesFor('cancel')).toEqual(operationStates.filter((state) => !isTerminal(state)));
    expect(statesFor('pause')).toEqual(['running']);
    expect(statesFor('resume')).toEqual(['paused', 'interrupted']);
    expect(statesFor('retry')).toEqual(['failed', 'cancelled']);
  });

  it('allows a verb by the state alone, for any action, phase, method and owner', () => {
    const verbs: OperationVerb[] = ['cancel', 'pause', 'resume', 'retry'];
    fc.assert(
      fc.property(
        fc.record({ action: fc.string(), phase: fc.string(), method: fc.string(), owner: fc.string() }),
        ({ action, phase, method, owner }) => {
          const allowed = (state: OperationState): OperationVerb[] => {
            const phases = [{ name: phase, state: 'running' as const }];
            const foreign = sampleSnapshot({ action, method, owner, phases, phaseIndex: 0, state });
            return verbs.filter((verb) => mayInState(foreign, verb));
          };
          expect(operationStates.map(allowed)).toEqual(
            operationStates.map((state) => verbs.filter((verb) => mayInState({ state }, verb))),
          );
        },
      ),
    );
  });

  it('allows no verb that the work does not support', () => {
    const cannotPause = { canPause: false, canRetry: true };
    const cannotRetry = { canPause: true, canRetry: false };
    expect(mayInState({ state: 'running' }, 'pause', cannotPause)).toBe(false);
    expect(mayInState({ state: 'paused' }, 'resume', cannotPause)).toBe(false);
    expect(mayInState({ state: 'running' }, 'cancel', cannotPause)).toBe(true);
    expect(mayInState({ state: 'failed' }, 'retry', cannotPause)).toBe(true);
    expect(mayInState({ state: 'failed' }, 'retry', cannotRetry)).toBe(false);
    expect(mayInState({ state: 'running' }, 'pause', cannotRetry)).toBe(true);
    expect(mayInState({ state: 'paused' }, 'resume', cannotRetry)).toBe(true);
    expect(mayInState({ state: 'interrupted' }, 'resume', cannotRetry)).toBe(false);
    expect(mayInState({ state: 'interrupted' }, 'resume', cannotPause)).toBe(false);
  });
});
