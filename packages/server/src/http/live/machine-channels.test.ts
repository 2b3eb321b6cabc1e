import { PassThrough } from 'node:stream';
import { ApiError } from '@wcc/api';
import { expect, it } from 'vitest';
import type { Principal } from '../../access/principal.ts';
import { createTicketTargets } from './machine-channels.ts';
import { createMachineSocketLimits, machineSocketsPerUser } from './machine-sockets.ts';

const principal = { userId: 'ann' } as Principal;

function createTargets(open: () => Promise<PassThrough>) {
  const limits = createMachineSocketLimits();
  const screen = { vmId: 1, mayInput: true, open };
  const targets = createTicketTargets(
    { screen: async () => screen, assertSerial: async () => {}, downloadable: async () => {} },
    limits,
  );
  return { targets, limits };
}

it('V10j: a screen that cannot be opened refuses the ticket, so that no proxy is blamed', async () => {
  const { targets } = createTargets(async () => {
    throw new ApiError('hypervisor_failed');
  });
  await expect(targets.screen(principal, 1)).rejects.toMatchObject({ code: 'hypervisor_failed' });
});

it('a ticket for a screen leaves the screen closed', async () => {
  const backend = new PassThrough();
  await createTargets(async () => backend).targets.screen(principal, 1);
  expect(backend.destroyed).toBe(true);
});

it.each(['screen', 'serial'] as const)(
  'V10j: a user with too many sockets gets no %s ticket',
  async (kind) => {
    const { targets, limits } = createTargets(async () => new PassThrough());
    for (let count = 0; count < machineSocketsPerUser; count += 1) limits[kind].acquire('ann');
    await expect(targets[kind](principal, 1)).rejects.toMatchObject({ code: 'too_many_watchers' });
  },
);
