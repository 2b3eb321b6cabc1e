import { describe, expect, it } from 'vitest';
import { LoadedState } from './loaded-state.ts';

/** A state whose loads the test ends. */
class Counted extends LoadedState {
  readonly open: Ends[] = [];
  value = 0;

  protected override async fetch(): Promise<void> {
    const value = await new Promise<number>((resolve, reject) => this.open.push({ resolve, reject }));
    this.value = value;
  }
}

interface Ends {
  resolve: (value: number) => void;
  reject: (error: Error) => void;
}

describe('LoadedState', () => {
  it('loads once more after a load during which load() was called, even several times', async () => {
    const state = new Counted();
    const first = state.load();
    void state.load();
    void state.load();
    expect(state.open).toHaveLength(1);
    state.open[0]?.resolve(1);
    await first;
    expect([state.value, state.isLoaded, state.open.length]).toEqual([1, true, 2]);
    const second = state.load();
    state.open[1]?.resolve(2);
    await second;
    expect([state.value, state.open.length]).toEqual([2, 3]);
  });

  it('keeps its data and reports the problem after a failed load, until a load succeeds', async () => {
    const state = new Counted();
    let changes = 0;
    state.changed.listen(() => (changes += 1));
    for (const [index, end] of (['resolve', 'reject', 'resolve'] as const).entries()) {
      const load = state.load();
      if (end === 'resolve') state.open[index]?.resolve(index);
      else state.open[index]?.reject(new Error('down'));
      await load;
      expect([state.problem === null, state.isLoaded, state.value]).toEqual([
        end === 'resolve',
        true,
        index === 1 ? 0 : index,
      ]);
    }
    expect(changes).toBe(3);
  });
});
