import type { Hypervisor } from '../hypervisor.ts';
import { HypervisorError } from './hypervisor-error.ts';

type AsyncMethod = {
  [Name in keyof Hypervisor]: Hypervisor[Name] extends (...args: never[]) => Promise<unknown> ? Name : never;
}[keyof Hypervisor];

type StreamMethod = {
  [Name in keyof Hypervisor]: Hypervisor[Name] extends (...args: never[]) => AsyncIterable<unknown>
    ? Name
    : never;
}[keyof Hypervisor];

declare const normalized: unique symbol;

/**
 * Only this file creates a value of this type. The compiler refuses a method under the name of another, because the
 * type contains the name.
 */
type Normalized<Name extends keyof Hypervisor> = Hypervisor[Name] & { readonly [normalized]: Name };

/**
 * A driver with wrapped promises and streams. The compiler refuses a new method of the interface until
 * `normalizeErrors` wraps it.
 */
export type NormalizedHypervisor = {
  [Name in keyof Hypervisor]: Name extends AsyncMethod | StreamMethod ? Normalized<Name> : Hypervisor[Name];
};

/**
 * Makes a driver reject with HypervisorError only: an unexpected error (a full disk, a missing right) becomes
 * `failed`, with its cause.
 */
export function normalizeErrors(driver: Hypervisor): NormalizedHypervisor {
  const wrap = <Name extends AsyncMethod>(name: Name): Normalized<Name> => wrapAsync(driver, name);
  return {
    driver: driver.driver,
    probe: wrap('probe'),
    networks: wrap('networks'),
    define: wrap('define'),
    undefine: wrap('undefine'),
    spec: wrap('spec'),
    list: wrap('list'),
    status: wrap('status'),
    start: wrap('start'),
    pause: wrap('pause'),
    resume: wrap('resume'),
    shutdown: wrap('shutdown'),
    powerOff: wrap('powerOff'),
    reset: wrap('reset'),
    discardSavedState: wrap('discardSavedState'),
    setCdrom: wrap('setCdrom'),
    growDisk: wrap('growDisk'),
    openScreen: wrap('openScreen'),
    screenshot: wrap('screenshot'),
    readSerial: wrap('readSerial'),
    followSerial: wrapStream(driver, 'followSerial'),
    onChange: (listener) => driver.onChange(listener),
    close: wrap('close'),
  };
}

function wrapAsync<Name extends AsyncMethod>(driver: Hypervisor, name: Name): Normalized<Name> {
  const call = driver[name] as (...args: unknown[]) => Promise<unknown>;
  const wrapped = async (...args: unknown[]): Promise<unknown> => {
    try {
      return await call.apply(driver, args);
    } catch (error) {
      throw toHypervisorError(error);
    }
  };
  return wrapped as unknown as Normalized<Name>;
}

function wrapStream<Name extends StreamMethod>(driver: Hypervisor, name: Name): Normalized<Name> {
  const call = driver[name] as (...args: unknown[]) => AsyncIterable<unknown>;
  const wrapped = async function* (...args: unknown[]): AsyncGenerator<unknown, void, void> {
    try {
      yield* call.apply(driver, args);
    } catch (error) {
      throw toHypervisorError(error);
    }
  };
  return wrapped as unknown as Normalized<Name>;
}

function toHypervisorError(error: unknown): HypervisorError {
  if (error instanceof HypervisorError) return error;
  return new HypervisorError('failed', { detail: String(error), cause: error });
}
