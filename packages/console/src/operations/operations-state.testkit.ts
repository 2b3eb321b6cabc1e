import type { Snapshot } from '@wcc/progress';
import type { GoneListener, ProgressClient, Rights, WatchListener } from '@wcc/progress/client';
import { sampleSnapshot } from '@wcc/progress/conformance';
import type { OperationEntry } from './operation-entry.ts';

/** A snapshot of a copy at the start of its only phase. */
export function snapshotOf(changes: Partial<Snapshot> = {}): Snapshot {
  return sampleSnapshot({
    id: 'a',
    subject: { kind: 'image', id: 100, name: 'debian.raw' },
    target: { kind: 'image', id: null, name: 'web.raw' },
    phases: [
      { name: 'transfer', unit: 'bytes', done: 0, durable: 0, total: 100, state: 'running', elapsedMs: 1 },
    ],
    phaseIndex: 0,
    rate: null,
    etaMs: null,
    etaAbsence: 'too_early',
    bytes: null,
    elapsedMs: 1,
    ...changes,
  });
}

export function entryOf(change: Partial<Snapshot> = {}, more: Partial<OperationEntry> = {}): OperationEntry {
  return { snapshot: snapshotOf(change), may: null, isUnknown: false, isHistory: false, ...more };
}

/** A live client that a test drives. */
export interface FakeLive {
  client: ProgressClient;
  push: (snapshot: Snapshot, may?: Rights) => void;
  gone: GoneListener;
}

export function createFakeLive(): FakeLive {
  let watcher: WatchListener = () => undefined;
  let onGone: GoneListener = () => undefined;
  const push = (snapshot: Snapshot, may?: Rights): void => watcher(snapshot, may ?? null);
  const client: ProgressClient = {
    status: { state: 'online', sinceMs: 0, code: null, retryInMs: null },
    onStatus: () => () => undefined,
    watch: () => () => undefined,
    watchAll: (_, listener) => {
      watcher = listener;
      return () => undefined;
    },
    onGone: (listener) => {
      onGone = listener;
      return () => undefined;
    },
    get: () => undefined,
    offer: push,
    reconnectNow: () => undefined,
    close: () => undefined,
  };
  return { client, push, gone: (id, why) => onGone(id, why) };
}
