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
