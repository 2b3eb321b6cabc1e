import { setTimeout as sleep } from 'node:timers/promises';
import type { OnError } from '@wcc/progress/server';
import { StoreError } from './errors.ts';
import { soundCondition } from './messages.ts';
import type { BatchStatement, SchemaUpdate, SqlValue, StoreCondition, WriteResult } from './messages.ts';
import type { DatabaseThread, RequestWithoutId } from './thread.ts';
import { startThread } from './thread.ts';

/** The connection to the database, which survives the end of its thread. */
export interface Channel {
  read(sql: string, parameters: readonly SqlValue[]): Promise<unknown[]>;
  write(batch: readonly BatchStatement[]): Promise<WriteResult[]>;
  /** Resolves when the thread answers at all, or is known to be away. Never rejects. */
  ping(): Promise<void>;
  status(): ChannelStatus;
  /** Finishes earlier requests first. Idempotent. */
  close(): Promise<void>;
}

export interface ChannelStatus extends StoreCondition {
  /** False from the end of a thread to the start of the next one. */
  isOpen: boolean;
}

export interface ChannelOptions {
  onError: OnError;
  /** The thread ended, and no other one can take over. Called once, after `onError`. */
  onFatal: (error: StoreError) => void;
  /** Called before the update of a database of an earlier version, which can take minutes. */
  onUpdate: (update: SchemaUpdate) => void;
}

/** Pauses before the attempts to start the thread again. */
const restartPausesMs = [50, 1_000, 5_000];
/** A thread that lives this long has its attempts again. */
const stableMs = 10 * 60_000;

/**
 * Starts the database thread and waits until the database is open. A thread that ends is started again.
 * @throws StoreError as `startThread`
 */
export async function openChannel(path: string, options: ChannelOptions): Promise<Channel> {
  const kept = createKeptThread(path, options);
  let closing: Promise<void> | undefined;
  async function send(request: RequestWithoutId): ReturnType<DatabaseThread['send']> {
    if (closing) throw new StoreError('store_closed');
    const thread = kept.thread();
    if (thread === null) throw new StoreError('store_failed');
    return thread.send(request);
  }
  await kept.start();
  return {
    read: async (sql, parameters) => (await send({ kind: 'read', sql, parameters })).rows ?? [],
    write: async (batch) => (await send({ kind: 'write', batch })).results ?? [],
    ping: () =>
      send({ kind: 'ping' }).then(
        () => {},
        () => {},
      ),
    status: () => ({ ...kept.condition(), isOpen: kept.thread() !== null }),
    close: () => (closing ??= kept.close()),
  };
}

function lost(batches: number): StoreError {
  return new StoreError('store_full', { message: `${batches} changes are lost: the disk is full.` });
}

function ended(reason: StoreError): StoreError {
  const message = `The database thread ended: ${reason.message}`;
  return new StoreError(reason.code, { message, cause: reason });
}

/** A thread, and its successors. */
interface KeptThread {
  start(): Promise<void>;
  /** Null from the end of a thread to the start of the next one. */
  thread(): DatabaseThread | null;
  condition(): StoreCondition;
  close(): Promise<void>;
}

function createKeptThread(path: string, { onError, onFatal, onUpdate }: ChannelOptions): KeptThread {
  let condition = soundCondition;
  let thread: DatabaseThread | null = null;
  let restarting: Promise<void> | undefined;
  let attempts = 0;
  let startedAtMs = 0;
  const ending = new AbortController();

  async function start(): Promise<void> {
    thread = await startThread(path, {
      onUpdate,
      onCondition: (next) => (condition = next),
      onLost: (batches) => onError(lost(batches), { stage: 'storage: close' }),
      onEnd(error) {
        thread = null;
        onError(error, { stage: 'storage' });
        restarting = restart(error);
      },
    });
    startedAtMs = performance.now();
  }
  async function restart(cause: StoreError): Promise<void> {
    // Changes in memory are gone, and this process has answered as if they were written.
    if (condition.heldBatches > 0) return onFatal(cause);
    condition = soundCondition;
    if (performance.now() - startedAtMs > stableMs) attempts = 0;
    let reason = cause;
    for (const pauseMs of restartPausesMs.slice(attempts)) {
      attempts += 1;
      await sleep(pauseMs, undefined, { ref: false, signal: ending.signal }).catch(() => {});
      if (ending.signal.aborted) return;
      try {
        return await start();
      } catch (error) {
        reason = error as StoreError;
        onError(reason, { stage: 'storage: restart' });
      }
      if (reason.code === 'store_damaged') break;
    }
    onFatal(ended(reason));
  }
  return {
    start,
    thread: () => thread,
    condition: () => condition,
    async close() {
      ending.abort();
      await restarting;
      await thread?.close();
    },
  };
}
