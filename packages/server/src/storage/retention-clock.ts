import type { OnError } from '@wcc/progress/server';
import { readLastAuditRow } from './audit.ts';
import type { Store } from './store.ts';

/**
 * Says how old stored things are, for everything that is removed because of its age. It counts the time in which the
 * server ran, by the monotonic clock, and continues after a restart. A wrong wall clock does not change it, so a wrong
 * clock removes nothing.
 */
export interface RetentionClock {
  /** Milliseconds since 1970. Close to the wall clock, but behind it by the time in which the server did not run. */
  nowMs(): number;
  /** The same in the format of stored times. */
  isoNow(): string;
}

/** The retention clock of a running server. */
export interface RunningRetentionClock extends RetentionClock {
  /** How far the wall clock has jumped; 0 while it agrees with the monotonic clock, and a day after a jump. */
  readonly jumpMs: number;
  /** Compares the clocks now. A timer also does this regularly. */
  check(): void;
  /** Stores the time and stops. */
  close(): Promise<void>;
}

export interface RetentionClockOptions {
  /** The clocks of the host. */
  clock: { isoNow(): string; monotonicMs(): number };
  /** Called once for each jump of the wall clock. Positive: ahead. */
  onJump: (jumpMs: number) => void;
  onError: OnError;
}

const settingKey = 'retentionClock';
const hourMs = 3_600_000;
/** A jump is larger than corrections of a synchronised clock in one interval. */
const smallestJumpMs = 60_000;
/** A server may be off for days, so only a longer time between two runs looks like a jump. */
const longestStopMs = 7 * 24 * hourMs;
/** After this time without a correction, the new time counts as right. */
const acceptedAfterMs = 24 * hourMs;
const checkIntervalMs = 10_000;
const storeIntervalMs = 10 * 60_000;

interface Stored {
  nowMs: number;
  wallMs: number;
}

/** Continues the stored time. The first one starts at the newest time that the audit record shows. */
export async function openRetentionClock(
  store: Store,
  { clock, onJump, onError }: RetentionClockOptions,
): Promise<RunningRetentionClock> {
  const wallMs = (): number => Date.parse(clock.isoNow());
  const stored = await readStored(store);
  const startMs = stored?.nowMs ?? Math.min(wallMs(), (await newestAuditMs(store)) ?? wallMs());
  const startedAtMs = clock.monotonicMs();
  const nowMs = (): number => Math.floor(startMs + clock.monotonicMs() - startedAtMs);
  const save = (): Promise<void> => writeStored(store, { nowMs: nowMs(), wallMs: wallMs() });
  /** A failure costs the time since the last success: what is old is removed later. */
  const trySave = (): Promise<void> =>
    save().catch((error: unknown) => onError(error, { stage: 'retention clock' }));
  let seen = { wallMs: wallMs(), monotonicMs: startedAtMs };
  let jump = { ms: 0, atMs: 0 };

  function note(ms: number, smallestMs: number): void {
    if (Math.abs(ms) < smallestMs) return;
    const totalMs = jump.ms + ms;
    // A jump back to the earlier time is a correction.
    jump = { ms: Math.abs(totalMs) < smallestJumpMs ? 0 : totalMs, atMs: clock.monotonicMs() };
    onJump(ms);
  }
  function check(): void {
    const now = { wallMs: wallMs(), monotonicMs: clock.monotonicMs() };
    note(now.wallMs - seen.wallMs - (now.monotonicMs - seen.monotonicMs), smallestJumpMs);
    seen = now;
    if (now.monotonicMs - jump.atMs > acceptedAfterMs) jump = { ms: 0, atMs: 0 };
  }

  if (stored === null) await save();
  else {
    const stopMs = seen.wallMs - stored.wallMs;
    note(stopMs, stopMs < 0 ? smallestJumpMs : longestStopMs);
  }
  const timers = [
    setInterval(check, checkIntervalMs).unref(),
    setInterval(() => void trySave(), storeIntervalMs).unref(),
  ];
  return {
    nowMs,
    isoNow: () => new Date(nowMs()).toISOString(),
    get jumpMs() {
      return jump.ms;
    },
    check,
    async close() {
      for (const timer of timers) clearInterval(timer);
      await trySave();
    },
  };
}

async function readStored(store: Store): Promise<Stored | null> {
  const query = store.db.selectFrom('settings').select('value').where('key', '=', settingKey);
  const row = await query.executeTakeFirst();
  return row === undefined ? null : (JSON.parse(row.value) as Stored);
}

async function writeStored(store: Store, stored: Stored): Promise<void> {
  const value = JSON.stringify(stored);
  const query = store.db
    .insertInto('settings')
    .values({ key: settingKey, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }));
  await store.write([{ query }]);
}

async function newestAuditMs(store: Store): Promise<number | null> {
  const row = await readLastAuditRow(store);
  return row === undefined ? null : Date.parse(row.at);
}
