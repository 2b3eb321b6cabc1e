import { expect, it } from 'vitest';
import { createVmRequest, quickCreateVmRequest } from './index.ts';

it('V1: a request of 0.1.0 means the same body, because an idempotency key of 0.1.0 remembers its hash', () => {
  const create = { name: 'web', cpus: 1, memoryBytes: 1_073_741_824, disks: [] };
  expect(createVmRequest.parse(create)).toEqual({
    ...create,
    network: { kind: 'user', name: null },
    firmware: 'bios',
    start: true,
  });
  const quick = { image: 100, name: 'web' };
  expect(quickCreateVmRequest.parse(quick)).toEqual({ ...quick, full: false, start: true });
});
