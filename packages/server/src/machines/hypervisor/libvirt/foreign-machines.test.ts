import { randomUUID } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Hypervisor } from '../../hypervisor.ts';
import { bootGuest, defineMachine } from '../guest.testkit.ts';
import { findMachineProcess } from '../processes.testkit.ts';
import { waitUntil } from '../wait.testkit.ts';
import { createLibvirtDriver } from './driver.ts';
import type { LibvirtSession } from './session.testkit.ts';
import { startSession } from './session.testkit.ts';
import type { Virsh } from './virsh.ts';
import { createVirsh } from './virsh.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

describe('libvirt driver', () => {
  let session: LibvirtSession;
  let hypervisor: Hypervisor;
  let virsh: Virsh;
  const errors: unknown[] = [];
  beforeAll(async () => {
    session = await startSession();
    virsh = createVirsh(session.connection);
    hypervisor = await createLibvirtDriver({
      dir: join(session.home, 'wcc'),
      connection: session.connection,
      onError: (error) => errors.push(error),
    });
  });
  afterAll(async () => {
    await hypervisor.close();
    await session.close();
    if (errors.length > 0) throw errors[0];
  });

  /** Defines a machine as another program would. */
  async function defineForeign(xml: string): Promise<void> {
    const path = join(session.home, `${randomUUID()}.xml`);
    await writeFile(path, xml);
    await chmod(path, 0o644);
    await virsh.run('define', path);
  }
  const foreignXml = (name: string, uuid: string): string =>
    `<domain type='qemu'><name>${name}</name><uuid>${uuid}</uuid><memory unit='MiB'>32</memory><vcpu>2</vcpu>` +
    `<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>`;

  it('finds a running machine again after a SIGKILL of the daemon', async () => {
    const { uuid } = await defineMachine(hypervisor, session.home);
    await bootGuest(hypervisor, uuid);
    const pid = await findMachineProcess(uuid);
    let hints = 0;
    const stop = hypervisor.onChange(() => (hints += 1));
    await waitUntil('the first hint', () => hints > 0);
    await session.killDaemon();
    hints = 0;
    expect(await findMachineProcess(uuid)).toBe(pid);
    expect(await hypervisor.status(uuid)).toMatchObject({ state: 'running' });
    await waitUntil('a hint after the SIGKILL', () => hints > 0);
    stop();
    expect(await findMachineProcess(uuid)).toBe(pid);
    await hypervisor.powerOff(uuid);
    await hypervisor.undefine(uuid);
  });

  it('start of a new machine detects that another client has started or removed it', async () => {
    const { uuid } = await defineMachine(hypervisor, session.home);
    await virsh.run('start', uuid);
    const pid = await findMachineProcess(uuid);
    await hypervisor.start(uuid);
    expect(await findMachineProcess(uuid)).toBe(pid);
    await hypervisor.powerOff(uuid);
    await hypervisor.undefine(uuid);
    const gone = await defineMachine(hypervisor, session.home);
    await virsh.run('undefine', gone.uuid);
    await expect(hypervisor.start(gone.uuid)).rejects.toMatchObject({ code: 'unknown_machine' });
  });

  it('lists foreign machines and refuses to change them', async () => {
    const uuid = randomUUID();
    const name = `it's a "foreign" & <odd> machine`;
    await defineForeign(foreignXml(name.replaceAll('&', '&amp;').replaceAll('<', '&lt;'), uuid));
    const status = {
      uuid,
      name,
      state: 'shut_off',
      reason: null,
      foreign: true,
      cpus: 2,
      memoryBytes: 32 * 1024 ** 2,
      residentBytes: null,
      differences: [],
    };
    expect(await hypervisor.list()).toContainEqual(status);
    expect(await hypervisor.status(uuid)).toEqual(status);
    expect(await hypervisor.spec(uuid)).toBeNull();
    const refused = { code: 'foreign_machine' };
    await expect(hypervisor.start(uuid)).rejects.toMatchObject(refused);
    await expect(hypervisor.powerOff(uuid)).rejects.toMatchObject(refused);
    await expect(hypervisor.shutdown(uuid)).rejects.toMatchObject(refused);
    await expect(hypervisor.undefine(uuid)).rejects.toMatchObject(refused);
    await expect(hypervisor.setCdrom(uuid, null)).rejects.toMatchObject(refused);
    await expect(hypervisor.openScreen(uuid)).rejects.toMatchObject(refused);
    await expect(hypervisor.readSerial(uuid)).rejects.toMatchObject(refused);
    expect(await hypervisor.status(uuid)).toEqual(status);
    await virsh.run('undefine', uuid);
  });

  it('runs several queries at once, and rejects words that virsh would interpret', async () => {
    const [uuid, nowhere] = [randomUUID(), randomUUID()];
    await defineForeign(foreignXml('asked', uuid));
    const about = (one: string): string[] => ['domname', '--domain', one];
    const answers = await virsh.query(about(nowhere), about(uuid), about(nowhere), [
      'list',
      '--all',
      '--name',
    ]);
    expect(answers.map((answer) => answer.trim())).toEqual(['', 'asked', '', 'asked']);
    for (const word of [`${uuid}; undefine ${uuid}`, 'a b', "'a'", '"', String.raw`\;`, '#', 'a\nb', '']) {
      await expect(virsh.query(['domname', word]), word).rejects.toMatchObject({ code: 'failed' });
    }
    await expect(virsh.query(['list'], ['list', '--nonsense'])).rejects.toMatchObject({ code: 'failed' });
    expect(await hypervisor.status(uuid)).toMatchObject({ name: 'asked' });
    await virsh.run('undefine', uuid);
  });

  it('does not take a machine named like a UUID for the machine with that UUID', async () => {
    const [named, uuid] = [randomUUID(), randomUUID()];
    await defineForeign(foreignXml(named, uuid));
    expect(await hypervisor.status(named)).toBeNull();
    await expect(hypervisor.powerOff(named)).rejects.toMatchObject({ code: 'unknown_machine' });
    await hypervisor.undefine(named);
    expect(await hypervisor.status(uuid)).toMatchObject({ name: named, foreign: true });
    await virsh.run('undefine', uuid);
  });

  it('treats a clone of its machine as foreign, despite the copied tag', async () => {
    const ours = await defineMachine(hypervisor, session.home);
    const clone = randomUUID();
    const xml = await virsh.run('dumpxml', '--inactive', ours.uuid);
    expect(xml).toContain('wcc:machine');
    await defineForeign(xml.replace(ours.uuid, clone).replace(`<name>${ours.name}<`, '<name>clone<'));
    expect(await hypervisor.status(clone)).toMatchObject({ name: 'clone', foreign: true });
    await expect(hypervisor.start(clone)).rejects.toMatchObject({ code: 'foreign_machine' });
    const other = await createLibvirtDriver({
      dir: join(session.home, 'another-wcc'),
      connection: session.connection,
      onError: (error) => errors.push(error),
    });
    expect(await other.status(ours.uuid)).toMatchObject({ foreign: true });
    await other.close();
    await virsh.run('undefine', clone);
    await hypervisor.undefine(ours.uuid);
  });
});
