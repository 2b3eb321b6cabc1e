import { ApiProblem } from '@wcc/api/client';
import { expect, it } from 'vitest';
import { lostConnection } from './http.ts';
import { RetryDeadline } from './retry-deadline.ts';

it('F8: the first retry of each outage is reported, and the others are silent', async () => {
  const lines: string[] = [];
  const deadline = new RetryDeadline(60_000, { hint: '', report: (text) => void lines.push(text) });
  const { signal } = new AbortController();
  const failTwice = async (): Promise<void> => {
    await deadline.wait(lostConnection(), signal);
    await deadline.wait(lostConnection(), signal);
  };
  await failTwice();
  expect(lines).toEqual(['The connection was lost. Trying again.']);
  deadline.progressed(5);
  await failTwice();
  expect(lines).toHaveLength(2);
});

it('a server that asks for a longer wait does not move the deadline', async () => {
  const deadline = new RetryDeadline(50, { hint: '', report: () => {} });
  const busy = new ApiProblem(
    { type: 'about:blank', title: 'Busy.', status: 503, code: 'shutting_down', hint: '' },
    { retryAfterS: 3600 },
  );
  const { signal } = new AbortController();
  const retryAlways = async (): Promise<never> => {
    for (;;) await deadline.wait(busy, signal);
  };
  await expect(retryAlways()).rejects.toMatchObject({ exit: 'unreachable', code: 'shutting_down' });
});
