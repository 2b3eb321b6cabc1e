import type { OperationState, Snapshot } from '@wcc/progress';
import { isTerminal } from '@wcc/progress';
import { sampleSnapshot } from '@wcc/progress/testing';
import { createHub } from '@wcc/progress/server';
import type { Hub } from '@wcc/progress/server';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';
import type { Metrics } from './metrics.ts';
import type { WatchStats } from './watchers.ts';

let hub: Hub;
let metrics: Metrics;

beforeEach(() => {
  hub = createHub();
  metrics = createMetrics({ hub });
});
afterEach(() => {
  metrics.close();
  hub.close();
});

function record(state: OperationState, written: number, action = 'copy_vm_image'): Snapshot {
  return sampleSnapshot({
    id: 'a'.repeat(26),
    action,
    state,
    phases: [],
    phaseIndex: -1,
    bytes: { virtual: 1000, data: 1000, skipped: 0, shared: 0, written },
    startedAt: null,
    endedAt: isTerminal(state) ? '2026-01-01T14:05:00.000Z' : null,
    error: state === 'failed' ? { code: 'io_error', message: 'Broken.', hint: '', detail: null } : null,
  });
}

/** Reports a state to the hub and then to the metrics, as the engine does. */
function report(state: Snapshot): void {
  hub.put(state);
  metrics.recordState(state);
}

async function valueOf(series: string): Promise<number | null> {
  const line = (await metrics.text([])).split('\n').find((text) => text.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1));
}

it('the byte counter grows while an operation runs, without bytes that an earlier process wrote', async () => {
  report(record('interrupted', 100));
  expect(await valueOf('wcc_bytes_written_total')).toBe(0);
  report(record('running', 100));
  hub.put(record('running', 150));
  expect(await valueOf('wcc_bytes_written_total')).toBe(50);
  hub.put(record('running', 180));
  expect(await valueOf('wcc_bytes_written_total')).toBe(80);
  report(record('succeeded', 200));
  expect(await valueOf('wcc_bytes_written_total')).toBe(100);
  expect(await valueOf('wcc_bytes_written_total')).toBe(100);
});

it('metrics show unfinished operations, and count each end once', async () => {
  const running = 'wcc_operations{state="running",action="copy_vm_image"}';
  expect(await valueOf(running)).toBe(0);
  report(record('running', 0));
  expect(await valueOf(running)).toBe(1);
  report(record('failed', 0));
  expect(await valueOf(running)).toBe(0);
  const ended = 'wcc_operations_ended_total{action="copy_vm_image",state="failed"}';
  expect(await valueOf(ended)).toBe(1);
});

it('all actions of publishers have the label published', async () => {
  report(record('running', 0, 'evil"} 1\nwcc_evil 1'));
  expect(await valueOf('wcc_operations{state="running",action="published"}')).toBe(1);
  expect(await metrics.text([])).not.toContain('evil');
});

it('watcher metrics show the statistics of the gateway', async () => {
  const stats: WatchStats = {
    connections: 3,
    subscriptions: 7,
    sentBytes: 1000,
    sentMessages: 10,
    stalenessMs: 250,
  };
  metrics.addWatchers('sse', () => stats);
  expect(await valueOf('wcc_watchers{kind="sse"}')).toBe(3);
  expect(await valueOf('wcc_watch_staleness_seconds{kind="sse"}')).toBe(0.25);
  expect(await valueOf('wcc_watch_sent_bytes_total{kind="sse"}')).toBe(1000);
  stats.sentBytes = 1500;
  expect(await valueOf('wcc_watch_sent_bytes_total{kind="sse"}')).toBe(1500);
});
