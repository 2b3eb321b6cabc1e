import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { join } from 'node:path';
import { toPng } from '../screenshot-png.ts';
import { machineFiles } from './arguments.ts';
import type { QemuContext } from './context.ts';
import { assertMonitor } from './context.ts';
import { connectUnix } from '../unix-socket.ts';

export async function openScreen(context: QemuContext, uuid: string): Promise<Duplex> {
  await assertMonitor(context, uuid);
  return connectUnix(join(context.definitions.directory(uuid), machineFiles.screen));
}

export async function screenshot(context: QemuContext, uuid: string): Promise<Buffer> {
  const monitor = await assertMonitor(context, uuid);
  const directory = context.definitions.directory(uuid);
  // QEMU runs in the machine's directory.
  const filename = `screenshot-${randomUUID()}`;
  try {
    // PNG needs QEMU 7.1 with libpng; PPM always works.
    await monitor
      .execute('screendump', { filename, format: 'png' })
      .catch(() => monitor.execute('screendump', { filename }));
    return toPng(await readFile(join(directory, filename)));
  } finally {
    await rm(join(directory, filename), { force: true });
  }
}
