import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { auditStatement } from './audit.ts';
import type { RunningRetentionClock } from './retention-clock.ts';
import { openRetentionClock } from './retention-clock.ts';
import type { Store } from './store.ts';
import { openStore } from './store.ts';

const dayMs = 24 * 3_600_000;
const startMs = Date.parse('2026-03-01T00:00:00Z');
const wrongClocks = [['400 days ahead', startMs + 400 * dayMs] as const, ['in 1970', 0] as const];

let directory: string;
let store: Store;
let jumps: number[];
/** Both clocks of the host. A restart of the host resets the monotonic one. */
let host: { wallMs: number; monotonicMs: number };

function fail(error: unknown): never {
  throw error;
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wcc-retention-'));
  store = await openStore(join(directory, 'wcc.sqlite'), { onError: fail });
  host = { wallMs: startMs, monotonicMs: 5000 };
  jumps = [];
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const open = (): Promise<RunningRetentionClock> =>
  openRetentionClock(store, {
    clock: { isoNow: () => new Date(host.wallMs).toISOString(), monotonicMs: () => host.monotonicMs },
    onJump: (jumpMs) => jumps.push(jumpMs),
    onError: fail,
  });

function pass(durationMs: number): void {
  host.wallMs += durationMs;
  host.monotonicMs += durationMs;
}

it('D12: the retention clock counts while the server runs, and continues after a restart', async () => {
  const first = await open();
  pass(3 * dayMs);
  expect(first.nowMs()).toBe(startMs + 3 * dayMs);
  await first.close();
  pass(2 * dayMs);
  host.monotonicMs = 0;
  const second = await open();
  pass(dayMs);
  expect(second.nowMs()).toBe(startMs + 4 * dayMs);
  expect(second.isoNow()).toBe(new Date(startMs + 4 * dayMs).toISOString());
  expect(jumps).toEqual([]);
  await second.close();
});

it.each(wrongClocks)(
  'D12: a clock that jumps while the server runs (%s) adds no age',
  async (_name, wrongMs) => {
    const clock = await open();
    const jumpMs = wrongMs - host.wallMs;
    host.wallMs = wrongMs;
    pass(10_000);
    clock.check();
    expect(clock.nowMs()).toBe(startMs + 10_000);
    expect([jumps, clock.jumpMs]).toEqual([[jumpMs], jumpMs]);
    host.wallMs -= jumpMs;
    clock.check();
    expect([jumps, clock.jumpMs]).toEqual([[jumpMs, -jumpMs], 0]);
    expect(clock.nowMs()).toBe(startMs + 10_000);
    await clock.close();
  },
);

it.each(wrongClocks)('D12: a start with a wrong clock (%s) adds no age', async (_name, wrongMs) => {
  await (await open()).close();
  host = { wallMs: wrongMs, monotonicMs: 0 };
  const clock = await open();
  expect(clock.nowMs()).toBe(startMs);
  expect(clock.jumpMs).not.toBe(0);
  pass(25 * 3_600_000);
  clock.check();
  expect(clock.jumpMs).toBe(0);
  await clock.close();
});

it('D12: the first start after an update begins at the newest audited time, also with a clock ahead', async () => {
  await store.write([
    auditStatement({ who: 'root', address: '127.0.0.1', what: 'user.create', subject: null, result: 'ok' }),
  ]);
  const auditedMs = Date.parse(
    (await store.db.selectFrom('audit').select('at').executeTakeFirstOrThrow()).at,
  );
  host.wallMs = auditedMs + 400 * dayMs;
  const clock = await open();
  expect(clock.nowMs()).toBe(auditedMs);
  await clock.close();
});
