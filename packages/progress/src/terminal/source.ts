import type { Snapshot } from '../core/snapshot.ts';
import { isTerminal } from '../core/state-machine.ts';
import { createCopyReader } from './copy-reader.ts';
import type { CopyProgressLike } from './copy-reader.ts';

/** A hub of `@wcc/progress/server`. */
interface HubSource {
  list(): Iterable<Snapshot>;
  get(id: string): Snapshot | undefined;
  onChange(listener: (ids: ReadonlySet<string>) => void): () => void;
}

/** A client of `@wcc/progress/client`. */
interface ClientSource {
  readonly status: { readonly state: string };
  watchList(scope: 'mine' | 'all', listener: (snapshot: Snapshot) => void): () => void;
  onStatus(listener: (status: { readonly state: string }) => void): () => void;
  onGone(listener: (id: string) => void): () => void;
}

/**
 * Where snapshots come from: a hub, a client, the handle of one operation, snapshots to iterate over, or a job of
 * `@wcc/copy`.
 */
export type TerminalSource =
  | HubSource
  | ClientSource
  | { readonly snapshot: Snapshot }
  | AsyncIterable<Snapshot>
  | AsyncIterable<CopyProgressLike>;

/** What a source reports. */
export interface SourceEvents {
  onSnapshot: (snapshot: Snapshot) => void;
  onGone: (id: string) => void;
  onConnection: (isOnline: boolean) => void;
  /** The source has no more snapshots. */
  onEnd: (error?: unknown) => void;
}

const pollMs = 100;

/** Reads a source until its end. @returns a function that stops the reading */
export function readSource(source: TerminalSource, list: 'mine' | 'all', events: SourceEvents): () => void {
  if (Symbol.asyncIterator in source) return readIterable(source, events);
  if ('watchList' in source) return readClient(source, list, events);
  if ('snapshot' in source) return readHandle(source, events);
  return readHub(source, events);
}

function readIterable(
  source: AsyncIterable<Snapshot | CopyProgressLike>,
  { onSnapshot, onEnd }: SourceEvents,
): () => void {
  const iterator = source[Symbol.asyncIterator]();
  const toSnapshot = createCopyReader();
  let isStopped = false;
  const read = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await iterator.next();
      if (isStopped || done === true) return;
      onSnapshot('doneBytes' in value ? toSnapshot(value) : value);
    }
  };
  read().then(() => onEnd(), onEnd);
  return () => {
    isStopped = true;
    void iterator.return?.();
  };
}

function readHandle(
  source: { readonly snapshot: Snapshot },
  { onSnapshot, onEnd }: SourceEvents,
): () => void {
  const timer = setInterval(read, pollMs);
  function read(): void {
    const { snapshot } = source;
    onSnapshot(snapshot);
    if (!isTerminal(snapshot.state)) return;
    clearInterval(timer);
    onEnd();
  }
  read();
  return () => clearInterval(timer);
}

function readHub(source: HubSource, { onSnapshot, onGone }: SourceEvents): () => void {
  for (const snapshot of source.list()) onSnapshot(snapshot);
  return source.onChange((ids) => {
    for (const id of ids) {
      const snapshot = source.get(id);
      if (snapshot === undefined) onGone(id);
      else onSnapshot(snapshot);
    }
  });
}

function readClient(
  source: ClientSource,
  list: 'mine' | 'all',
  { onSnapshot, onGone, onConnection }: SourceEvents,
): () => void {
  const stops = [
    source.onStatus(({ state }) => onConnection(state === 'online')),
    source.onGone(onGone),
    source.watchList(list, onSnapshot),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
