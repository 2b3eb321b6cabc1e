import { describe, expect, it } from 'vitest';
import type { Hypervisor } from '../hypervisor.ts';
import { HypervisorError } from './hypervisor-error.ts';
import { normalizeErrors } from './normalize-errors.ts';
import type { NormalizedHypervisor } from './normalize-errors.ts';

/** A driver that fails every call with this error. */
function createFailingDriver(reason: Error): Hypervisor {
  const fail = (): Promise<never> => Promise.reject(reason);
  return {
    driver: 'qemu',
    probe: fail,
    networks: fail,
    define: fail,
    undefine: fail,
    spec: fail,
    list: fail,
    status: fail,
    start: fail,
    pause: fail,
    resume: fail,
    shutdown: fail,
    powerOff: fail,
    reset: fail,
    discardSavedState: fail,
    setCdrom: fail,
    growDisk: fail,
    openScreen: fail,
    screenshot: fail,
    readSerial: fail,
    async *followSerial() {
      yield Buffer.from('hello');
      throw reason;
    },
    onChange: () => () => {},
    close: fail,
  };
}

const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
const calls = Object.entries<unknown>(normalizeErrors(createFailingDriver(full))).filter(
  (entry): entry is [string, () => Promise<unknown>] =>
    typeof entry[1] === 'function' && !['followSerial', 'onChange'].includes(entry[0]),
);

describe('normalizeErrors', () => {
  it('wraps every method of `Hypervisor`', () => {
    expect(Object.keys(normalizeErrors(createFailingDriver(full)))).toEqual(
      Object.keys(createFailingDriver(full)),
    );
    expect(calls).toHaveLength(20);
  });

  it.each(calls)('%s turns an unexpected error into `failed` with its cause', async (_name, call) => {
    await expect(call()).rejects.toMatchObject({
      name: 'HypervisorError',
      code: 'failed',
      detail: 'Error: no space left on device',
      cause: full,
    });
  });

  it('followSerial yields the output of the driver, then turns an unexpected error into `failed`', async () => {
    const { followSerial } = normalizeErrors(createFailingDriver(full));
    const received: string[] = [];
    const reading = (async () => {
      for await (const bytes of followSerial('', { signal: AbortSignal.abort() }))
        received.push(bytes.toString());
    })();
    await expect(reading).rejects.toMatchObject({ code: 'failed', cause: full });
    expect(received).toEqual(['hello']);
  });

  it('passes a HypervisorError through unchanged', async () => {
    const expected = new HypervisorError('name_taken');
    await expect(normalizeErrors(createFailingDriver(expected)).list()).rejects.toBe(expected);
  });

  it('the compiler refuses a method that is unwrapped or under the name of another', () => {
    const driver = createFailingDriver(full);
    const wrapped = normalizeErrors(driver);
    // @ts-expect-error: a promise must be wrapped
    const unwrapped: NormalizedHypervisor = { ...wrapped, status: (uuid) => driver.status(uuid) };
    // @ts-expect-error: `reset` has the type of `shutdown`, but not its name
    const swapped: NormalizedHypervisor = { ...wrapped, shutdown: wrapped.reset };
    // @ts-expect-error: a stream must be wrapped
    const streamed: NormalizedHypervisor = { ...wrapped, followSerial: driver.followSerial.bind(driver) };
    expect([unwrapped, swapped, streamed]).toHaveLength(3);
  });
});
