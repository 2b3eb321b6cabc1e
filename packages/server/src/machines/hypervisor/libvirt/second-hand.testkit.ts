import { execFile } from 'node:child_process';
import { chmod, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findTool } from '../../../images/tools/find-tool.ts';
import type { Hypervisor } from '../../hypervisor.ts';
import { createSpec, MiB } from '../guest.testkit.ts';
import type { MachineSpec } from '../machine-spec.ts';
import { attributeOf, childOf, childrenOf } from './elements.ts';
import { parseXml } from './parse-xml.ts';
import type { LibvirtSession } from './session.testkit.ts';
import type { Virsh } from './virsh.ts';
import { createVirsh } from './virsh.ts';

const run = promisify(execFile);
const tool = (name: 'qemu-img' | 'qemu-io'): string =>
  name === 'qemu-img'
    ? (findTool('qemu-img') ?? name)
    : (findTool('qemu-img') ?? name).replace('qemu-img', name);
export const diskBytes: number = 4 * MiB;

/** A machine with a qcow2 disk, and the hands of another program. */
export interface SharedMachine {
  readonly spec: MachineSpec;
  readonly virsh: Virsh;
  readonly directory: string;
  /** The file that holds the newest data of the disk, as libvirt has it. */
  top(): Promise<string>;
  /** libvirt's definition of the next start. */
  definition(): Promise<string>;
  /** Writes into the disk in the guest's stead. The machine must be off. */
  write(pattern: number, offset: number): Promise<void>;
  /** The content of the disk as a guest sees it. */
  read(): Promise<Buffer>;
}

export async function createShared(session: LibvirtSession, hypervisor: Hypervisor): Promise<SharedMachine> {
  const virsh = createVirsh(session.connection);
  const { uuid } = createSpec(session.home);
  const path = join(session.home, `${uuid}.qcow2`);
  const spec = createSpec(session.home, { uuid, disks: [{ path, format: 'qcow2', backing: [] }] });
  await run(tool('qemu-img'), ['create', '-q', '-f', 'qcow2', path, String(diskBytes)]);
  await chmod(path, 0o666);
  await hypervisor.define(spec);
  const definition = (): Promise<string> => virsh.run('dumpxml', '--inactive', uuid);
  const top = async (): Promise<string> => {
    const disks = childrenOf(childOf(parseXml(await definition()), 'devices'), 'disk');
    const disk = disks.find((one) => attributeOf(one, 'target', 'dev') === 'vda');
    return attributeOf(disk, 'source', 'file') ?? '';
  };
  return {
    spec,
    virsh,
    directory: session.home,
    top,
    definition,
    async write(pattern, offset) {
      const order = `write -P ${pattern} ${offset} 64k`;
      await run(tool('qemu-io'), ['-f', 'qcow2', '-c', order, await top()]);
    },
    async read() {
      const raw = join(session.home, `${uuid}.raw`);
      await run(tool('qemu-img'), ['convert', '-U', '-f', 'qcow2', '-O', 'raw', await top(), raw]);
      try {
        return await readFile(raw);
      } finally {
        await rm(raw, { force: true });
      }
    },
  };
}

/** What backup scripts do: the newest data is in another file from now on. */
export async function snapshot({ virsh, spec }: SharedMachine, name: string): Promise<void> {
  await virsh.run('snapshot-create-as', spec.uuid, name, '--disk-only', '--no-metadata');
}

/** Ends the snapshot: its data is in the disk of wcc again. The machine must run. */
export async function commitSnapshot({ virsh, spec }: SharedMachine): Promise<void> {
  const options = ['--active', '--pivot', '--delete', '--wait'];
  await virsh.run('blockcommit', spec.uuid, 'vda', ...options);
}
