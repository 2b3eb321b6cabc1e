/** Undoes steps in reverse order: at a stop, and after a start that failed half-way. */
export interface Undo {
  add(step: () => unknown): void;
  /** Runs every step once, even if others fail. @throws the first failure, after the last step */
  all(): Promise<void>;
}

/** Repeated and concurrent calls of `all` share one run. */
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
