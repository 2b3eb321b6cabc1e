/** Steps back, in the reverse order of the steps: for a stop as for a start that failed half-way. */
export interface Undo {
  add(step: () => unknown): void;
  /** Runs every step once, the failed ones' neighbours too. @throws the first failure, at the end */
  all(): Promise<void>;
}

/** `all` may be called again and by several: it runs once, and all wait for the same end. */
export function createUndo(): Undo {
  const steps: (() => unknown)[] = [];
  let running: Promise<void> | undefined;
  return {
    add: (step) => void steps.push(step),
    all: () => (running ??= runAll(steps)),
  };
}

async function runAll(steps: (() => unknown)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps.toReversed()) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
