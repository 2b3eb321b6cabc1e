import { expect, it } from 'vitest';
import type { ServerConfig } from '../config/config.ts';
import { createDoctor } from './create-doctor.ts';
import { makeInstallation, settingsOf } from './doctor.testkit.ts';

it('doctor: askers at the same time share one run, and a later one gets the same report for a moment', async () => {
  const installation = await makeInstallation();
  const doctor = createDoctor(settingsOf(installation) as ServerConfig);
  try {
    const [one, other] = await Promise.all([doctor.report(), doctor.report()]);
    expect(other).toBe(one);
    expect(await doctor.report()).toBe(one);
    expect(one.checks.length).toBeGreaterThan(20);
    expect(one.checks.filter(({ code }) => code === 'check_broken' || code === 'check_slow')).toEqual([]);
  } finally {
    doctor.close();
    installation.remove();
  }
});

it('doctor: a stop of the server ends a run', async () => {
  const installation = await makeInstallation();
  const doctor = createDoctor(settingsOf(installation) as ServerConfig);
  const report = doctor.report();
  doctor.close();
  await expect(report).rejects.toThrow(/abort/i);
  installation.remove();
});
