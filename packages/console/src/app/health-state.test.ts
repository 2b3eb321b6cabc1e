import type { Health } from '@wcc/api';
import { describe, expect, it } from 'vitest';
import type { HealthCode } from '../text/text.ts';
import { HealthState } from './health-state.ts';

const diskLow = { code: 'data_disk_low', message: '', hint: '' } as const;
const full = { code: 'database_full', message: '', hint: '' } as const;

function open(answers: (Partial<Health> | Error)[]) {
  const found: (readonly HealthCode[])[] = [];
  const role = { isAdmin: true };
  let calls = 0;
  const health = new HealthState({
    api: {
      health: () => {
        const answer = answers[calls] ?? {};
        calls += 1;
        if (answer instanceof Error) return Promise.reject(answer);
        return Promise.resolve({ status: 'degraded', version: '1', ...answer });
      },
    },
    isAdmin: () => role.isAdmin,
    onFound: (codes) => found.push(codes),
  });
  return { health, found, role, calls: () => calls };
}

describe('the health of the server', () => {
  it('D8: has reasons and warnings, and reports each one when it appears', async () => {
    const { health, found } = open([
      { reasons: [diskLow] },
      { reasons: [full, diskLow], warnings: ['clock_jumped'] },
      { reasons: [diskLow] },
      {},
    ]);
    await health.load();
    expect(health.codes).toEqual(['data_disk_low']);
    await health.load();
    expect(health.codes).toEqual(['database_full', 'data_disk_low', 'clock_jumped']);
    await health.load();
    expect(found).toEqual([['data_disk_low'], ['database_full', 'clock_jumped']]);
    await health.load();
    expect(health.codes).toEqual([]);
  });

  it('D8: keeps the last state when the server does not answer', async () => {
    const { health } = open([{ reasons: [full] }, new Error('offline')]);
    await health.load();
    await health.load();
    expect(health.codes).toEqual(['database_full']);
  });

  it('D8: is not asked for users who are not administrators, and not shown to the next user of the page', async () => {
    const { health, role, calls } = open([{ reasons: [full] }]);
    await health.load();
    role.isAdmin = false;
    expect(health.codes).toEqual([]);
    await health.load();
    expect(calls()).toBe(1);
  });
});
