/** Runs functions one after the other; a failure does not stop the functions that wait. */
export type Mutex = <Result>(work: () => Promise<Result>) => Promise<Result>;

export function createMutex(): Mutex {
  let last: Promise<unknown> = Promise.resolve();
  return <Result>(work: () => Promise<Result>): Promise<Result> => {
    const turn = last.then(work, work);
    last = turn.catch(() => {});
    return turn;
  };
}

/** One mutex per key, e.g. per file system. It exists while it has work. */
export interface KeyedMutex {
  (key: string): Mutex;
  /** Keys that have work. */
  size(): number;
}

export function createKeyedMutex(): KeyedMutex {
  const busy = new Map<string, { mutex: Mutex; count: number }>();
  const of =
    (key: string): Mutex =>
    async (work) => {
      const turn = busy.get(key) ?? { mutex: createMutex(), count: 0 };
      busy.set(key, turn);
      turn.count += 1;
      try {
        return await turn.mutex(work);
      } finally {
        turn.count -= 1;
        if (turn.count === 0) busy.delete(key);
      }
    };
  return Object.assign(of, { size: () => busy.size });
}
