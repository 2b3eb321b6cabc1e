import type { Snapshot } from '../core/snapshot.ts';
import { isTerminal } from '../core/state-machine.ts';
import { isOver } from './connection.ts';
import type { ConnectionStatus } from './connection.ts';
import { ClientError } from './errors.ts';
import type { WatchOptions } from './listen.ts';
import { onAbort } from './listen.ts';
import type { GoneListener } from './subscriptions.ts';

/** The part of a client that the iteration uses. */
interface Source {
  readonly status: ConnectionStatus;
  watch(id: string, listener: (snapshot: Snapshot) => void): () => void;
  onGone(listener: GoneListener): () => void;
  onStatus(listener: (status: ConnectionStatus) => void): () => void;
}

/**
 * The snapshots of one operation, up to its terminal one. A slow reader skips to the newest one. Watching starts with
 * the first `next()`. An abort of the signal ends a read that waits, and makes it throw the reason.
 */
export function iterateSnapshots(
  source: Source,
  id: string,
  { signal }: WatchOptions = {},
): AsyncGenerator<Snapshot, undefined> {
  let latest: Snapshot | undefined;
  let error: ClientError | undefined;
  let isClosed = false;
  let wake: (() => void) | undefined;

  const fail = (code: string): void => {
    error ??= new ClientError(code, id);
    wake?.();
  };

  const onStatus = (status: ConnectionStatus): void => {
    if (isOver(status)) fail(status.code ?? status.state);
  };

  async function* generate(): AsyncGenerator<Snapshot, undefined> {
    onStatus(source.status);
    const stops = [
      onAbort(signal, () => wake?.()),
      source.onStatus(onStatus),
      source.onGone((gone, why) => gone === id && fail(why)),
      source.watch(id, (snapshot) => {
        latest = snapshot;
        wake?.();
      }),
    ];
    try {
      while (!isClosed) {
        signal?.throwIfAborted();
        const snapshot = latest;
        latest = undefined;
        if (snapshot) yield snapshot;
        else if (error) throw error;
        else await new Promise<void>((resolve) => (wake = resolve));
        if (snapshot && isTerminal(snapshot.state)) return;
      }
    } finally {
      for (const stop of stops) stop();
    }
  }

  const generator = generate();
  const end = generator.return.bind(generator);
  // A generator that waits would end only with the next snapshot.
  generator.return = (value) => {
    isClosed = true;
    wake?.();
    return end(value);
  };
  return generator;
}
