import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { HypervisorError } from '../hypervisor-error.ts';
import { toPng } from '../screenshot-png.ts';
import { connectUnix } from '../unix-socket.ts';
import type { LibvirtContext } from './context.ts';
import { assertOwnOn, filesOf } from './context.ts';
import { createOwnDirectory } from './define.ts';

/** `domdisplay` prints this before the path of a unix socket. */
const prefix = 'vnc+unix://';

export async function openScreen(context: LibvirtContext, uuid: string): Promise<Duplex> {
  await assertOwnOn(context, uuid);
  const address = (await context.virsh.run('domdisplay', uuid, '--type', 'vnc')).trim();
  if (!address.startsWith(`${prefix}/`))
    throw new HypervisorError('failed', { detail: 'the machine has no screen on a unix socket' });
  return connectUnix(address.slice(prefix.length));
}

export async function screenshot(context: LibvirtContext, uuid: string): Promise<Buffer> {
  await assertOwnOn(context, uuid);
  const { directory } = filesOf(context, uuid);
  await createOwnDirectory(context, directory);
  const path = join(directory, `screenshot-${randomUUID()}`);
  try {
    await context.virsh.run('screenshot', uuid, '--file', path);
    return toPng(await readFile(path));
  } finally {
    await rm(path, { force: true });
  }
}
