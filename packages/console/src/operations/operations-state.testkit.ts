import type { Snapshot } from '@wcc/progress';
import type { ProgressClient } from '@wcc/progress/client';
import type { Rights } from '@wcc/progress/protocol';
import { sampleSnapshot } from '@wcc/progress/testing';
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

type GoneListener = Parameters<ProgressClient['onGone']>[0];

/** A live client that a test drives. */
export interface FakeLive {
  client: ProgressClient;
  push: (snapshot: Snapshot, may?: Rights) => void;
  gone: GoneListener;
}

export function createFakeLive(): FakeLive {
  let watcher: Parameters<ProgressClient['watch']>[1] = () => undefined;
  let onGone: GoneListener = () => undefined;
  const push = (snapshot: Snapshot, may?: Rights): void => watcher(snapshot, may ?? null);
  const client: ProgressClient = {
    status: { state: 'online', sinceMs: 0, code: null, hint: null, retryInMs: null, transport: 'websocket' },
    onStatus: () => () => undefined,
    watch: () => () => undefined,
    watchList: (_, listener) => {
      watcher = listener;
      return () => undefined;
    },
    onGone: (listener) => {
      onGone = listener;
      return () => undefined;
    },
    snapshots: () => {
      throw new Error('The console watches lists.');
    },
    act: () => Promise.reject(new Error('The console acts through its API.')),
    get: () => undefined,
    offer: push,
    reconnectNow: () => undefined,
    close: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
  return { client, push, gone: (id, why) => onGone(id, why) };
}
