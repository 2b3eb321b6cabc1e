import { HypervisorError } from '../hypervisor-error.ts';
import type { DiskSpec } from '../machine-spec.ts';
import { isPlainPath } from '../machine-spec.ts';
import { assertDiskSize, growFile } from '../grow-file.ts';
import { diskNode } from './arguments.ts';
import type { QemuContext } from './context.ts';
import { assertDefinition, isOn, probe } from './context.ts';
import type { Qmp } from './qmp.ts';

export async function setCdrom(context: QemuContext, uuid: string, path: string | null): Promise<void> {
  const definition = await assertDefinition(context, uuid);
  if (path !== null && !isPlainPath(path)) throw new HypervisorError('invalid_spec', { detail: 'cdrom' });
  if (isOn(await probe(context, uuid))) await changeMedium(await context.monitors.of(uuid), path);
  await context.definitions.write({ ...definition, spec: { ...definition.spec, cdrom: path } });
  context.changed();
}

/** Changes the medium by force, because a guest may have locked the drive. */
async function changeMedium(monitor: Qmp, path: string | null): Promise<void> {
  if (path === null) await monitor.execute('eject', { id: 'cdrom', force: true });
  else {
    const medium = { filename: path, format: 'raw', 'read-only-mode': 'read-only' };
    await monitor.execute('blockdev-change-medium', { id: 'cdrom', force: true, ...medium });
  }
  // QEMU keeps the file of the first medium open until its node is deleted.
  await monitor.execute('blockdev-del', { 'node-name': 'cdrom-medium' }).catch(() => {});
}

export async function growDisk(
  context: QemuContext,
  uuid: string,
  { disk, sizeBytes }: { disk: DiskSpec; sizeBytes: number },
): Promise<void> {
  const { spec } = await assertDefinition(context, uuid);
  assertDiskSize(sizeBytes);
  const index = spec.disks.findIndex(({ path }) => path === disk.path);
  const known = spec.disks[index];
  if (!known) throw new HypervisorError('invalid_spec', { detail: 'disk' });
  if (!isOn(await probe(context, uuid))) return growFile(known, sizeBytes);
  const monitor = await context.monitors.of(uuid);
  const nodes = (await monitor.execute('query-named-block-nodes', { flat: true })) as BlockNode[];
  const size = nodes.find((node) => node['node-name'] === diskNode(index))?.image?.['virtual-size'] ?? 0;
  if (sizeBytes < size) throw new HypervisorError('invalid_spec', { detail: 'sizeBytes' });
  await monitor.execute('block_resize', { 'node-name': diskNode(index), size: sizeBytes });
}

interface BlockNode {
  'node-name'?: string;
  image?: { 'virtual-size'?: number };
}
