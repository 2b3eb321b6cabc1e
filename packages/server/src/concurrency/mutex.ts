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

/** One mutex per key, e.g. per file system, created at first use. */
export function createKeyedMutex(): (key: string) => Mutex {
  const mutexes = new Map<string, Mutex>();
  return (key) => {
    const known = mutexes.get(key);
    if (known) return known;
    const created = createMutex();
    mutexes.set(key, created);
    return created;
  };
}
