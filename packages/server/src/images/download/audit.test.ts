import { expect, it } from 'vitest';
import type { Principal } from '../../access/principal.ts';
import type { Store } from '../../storage/store.ts';
import type { DownloadAudit, SentPart } from './audit.ts';
import { createDownloadAudit } from './audit.ts';

function start(): { audit: DownloadAudit; rows: () => number; pass: (ms: number) => void; fail: () => void } {
  let [rows, nowMs, fails] = [0, 0, false];
  const store = {
    write: async () => {
      if (fails) throw new Error('the disk is full');
      rows += 1;
    },
  } as unknown as Store;
  return {
    audit: createDownloadAudit(store, () => nowMs),
    rows: () => rows,
    pass: (ms) => (nowMs += ms),
    fail: () => (fails = !fails),
  };
}

function part(at: number, sessionKey = 'one'): SentPart {
  const principal = { sessionKey, userName: 'ann', address: '192.0.2.1', tokenName: null } as Principal;
  return { principal, image: { id: 100, etag: '"a"' } as SentPart['image'], start: at };
}

it('SM1: a download that takes longer than an hour has a row for each hour', async () => {
  const { audit, rows, pass } = start();
  for (let at = 1; at <= 180; at += 1) {
    await audit.record(part(at));
    pass(60_000);
  }
  expect(rows()).toBe(3);
});

it('SM1: a part whose row could not be written is refused, and the next part gets the row', async () => {
  const { audit, rows, fail } = start();
  fail();
  await expect(audit.record(part(5))).rejects.toThrow('the disk is full');
  fail();
  await audit.record(part(5));
  expect(rows()).toBe(1);
});

it('SM1: a forgotten download gets another row instead of none', async () => {
  const { audit, rows } = start();
  for (let session = 0; session <= 10_000; session += 1) await audit.record(part(1, `s${session}`));
  await audit.record(part(1, 's10000'));
  expect(rows()).toBe(10_001);
  await audit.record(part(1, 's0'));
  expect(rows()).toBe(10_002);
});
