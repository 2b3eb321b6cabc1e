import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createSpec } from '../guest.testkit.ts';
import { HypervisorError } from '../hypervisor-error.ts';
import type { LibvirtContext } from './context.ts';
import { redefine } from './define.ts';
import { writtenDomain } from './domain-xml.ts';
import { toXml } from './xml.ts';

it('V10c: a refused definition leaves the old name', async () => {
  const root = await mkdtemp(join(tmpdir(), 'wcc-redefine-'));
  const before = createSpec('/pool', { name: 'web' });
  const xml = toXml(writtenDomain(before, 'owner'));
  const calls: string[][] = [];
  const virsh = {
    connection: { uri: 'qemu:///session', environment: {} },
    run: async (...args: string[]) => {
      calls.push(args.slice(0, 3));
      if (args[0] === 'define') throw new HypervisorError('failed', { detail: 'XML error' });
      return '';
    },
  };
  const context = { root, owner: 'owner', virsh } as unknown as LibvirtContext;
  try {
    const spec = { ...before, name: 'api' };
    await expect(redefine(context, { before, spec, xml })).rejects.toMatchObject({ detail: 'XML error' });
  } finally {
    await rm(root, { recursive: true });
  }
  const renames = calls.filter(([verb]) => verb === 'domrename');
  expect(renames).toEqual([
    ['domrename', before.uuid, 'api'],
    ['domrename', before.uuid, 'web'],
  ]);
});
