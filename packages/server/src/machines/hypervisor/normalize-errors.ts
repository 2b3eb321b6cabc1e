import type { Hypervisor } from '../hypervisor.ts';
import { HypervisorError } from './hypervisor-error.ts';

/** Keeps the seam's promise: what a driver did not foresee (a full disk, a missing right) leaves it as `failed`, with its cause. */
export function onlyOurErrors(driver: Hypervisor): Hypervisor {
  return new Proxy(driver, {
    get(target, key, receiver) {
      const value: unknown = Reflect.get(target, key, receiver);
      if (typeof value !== 'function' || key === 'followSerial' || key === 'onChange') return value;
      return async (...args: unknown[]) => {
        try {
          return await (Reflect.apply(value, target, args) as Promise<unknown>);
        } catch (error) {
          if (error instanceof HypervisorError) throw error;
          throw new HypervisorError('failed', { detail: String(error), cause: error });
        }
      };
    },
  });
}
