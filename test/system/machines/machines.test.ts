import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CreateVmRequest, Image, Operation, Vm } from '@wcc/api';
import type { ApiProblem } from '@wcc/api/client';
import {
  createOverwriter,
  overwriterSays,
} from '../../../packages/server/src/machines/hypervisor/guest.testkit.ts';
import { greet, openScreen, waitForFrame } from '../../../packages/server/src/http/screens.testkit.ts';
import { GiB, MiB } from '../../kit/images.ts';
import { driverSkipReason, startMachineHost } from '../../kit/machine-host.ts';
import type { Driver, MachineHost } from '../../kit/machine-host.ts';
import { listImages, registerImage, waitForState } from '../../kit/operations.ts';
import { until } from '../../kit/poll.ts';

/** The HTTP API of machines, with both drivers. */
const run = promisify(execFile);
const drivers: readonly Driver[] = ['qemu', 'libvirt'];

for (const driver of drivers) {
  const refusal = driverSkipReason(driver);
  if (refusal !== null) console.log(`skipped: machines with ${driver}: ${refusal}`);
  describe.skipIf(refusal !== null)(`with ${driver}`, () => {
    describeMachines(driver);
  });
}

function describeMachines(driver: Driver): void {
  let host: MachineHost;
  let template: Image;
  const pool = (name: string): string => join(host.server.poolDir, name);
  const small = { cpus: 1, memoryBytes: 32 * MiB };

  beforeAll(async () => {
    host = await startMachineHost(driver);
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', pool('debian.qcow2'), '40G']);
    template = await registerImage(host.server, 'debian.qcow2');
    await host.server.api.changeImage(template.id, { template: true });
    console.log(`${driver}: ${JSON.stringify((await host.server.api.host()).hypervisor)}`);
  });
  afterAll(async () => {
    await host.close();
  });

  async function ended(operation: Operation): Promise<Operation> {
    return waitForState(host.server, operation.id, { states: ['succeeded'] });
  }
  async function create(changes: Partial<CreateVmRequest> & { name: string }): Promise<Vm> {
    const { operation } = await host.server.api.createVm({ ...small, disks: [], start: true, ...changes });
    const { result } = await ended(operation);
    return host.server.api.vm(Number(result?.id));
  }
  async function serialOf(id: number): Promise<string> {
    const { baseUrl, token } = host.server;
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${baseUrl}/api/vms/${id}/serial`, { headers })).text();
  }
  /** All files of machines, in every directory. */
  async function everything(): Promise<unknown> {
    const { api, poolDir, dataDir } = host.server;
    const list = (path: string): string[] => (existsSync(path) ? readdirSync(path).toSorted() : []);
    return {
      vms: (await api.vms()).items.map(({ uuid }) => uuid),
      images: (await listImages(host.server)).map(({ name }) => name),
      pool: list(poolDir).filter((name) => name !== '.wcc-pool'),
      seeds: list(join(dataDir, 'seeds')),
      machines: list(join(dataDir, 'machines', driver, 'machines')),
      reserved: (await api.pools()).items.map(({ reservedBytes }) => reservedBytes),
    };
  }
  async function seeScreen(id: number): Promise<void> {
    const { port, token: bearer, api } = host.server;
    const { ticket } = await api.ticket({ purpose: 'screen', target: String(id) });
    const screen = await openScreen({ port, id, ticket, bearer });
    await greet(screen);
    await waitForFrame(screen);
    screen.socket.terminate();
  }

  it('quick-create of a 40 GiB template is instant and thin, and leaves the template unchanged', async () => {
    const { api } = host.server;
    expect(template.virtualSizeBytes).toBe(40 * GiB);
    const digest = (): string =>
      createHash('sha256')
        .update(readFileSync(pool(template.name)))
        .digest('hex');
    const facts = (): unknown => {
      const { mtimeNs, size, ino, blocks } = statSync(pool(template.name), { bigint: true });
      return { mtimeNs, size, ino, blocks, digest: digest() };
    };
    const before = facts();
    const took: number[] = [];
    for (const name of ['web-1', 'web-2', 'web-3'].slice(driver === 'qemu' ? 0 : 1)) {
      const startedAt = performance.now();
      const { operation } = await api.quickCreateVm({ ...small, name, image: template.id });
      const { result } = await waitForState(host.server, operation.id, { states: ['succeeded'] });
      took.push(Math.round(performance.now() - startedAt));
      const vm = await api.vm(Number(result?.id));
      expect(vm).toMatchObject({ name, state: 'running' });
      expect(vm.disks).toMatchObject([{ sizeBytes: 40 * GiB, base: template.id }]);
      expect(statSync(pool(`${name}-disk0.qcow2`)).blocks * 512).toBeLessThan(2 * MiB);
    }
    console.log(`${driver}: quick-create until it runs: ${took.join(', ')} ms`);
    expect(facts()).toEqual(before);
    await api.changeImage(template.id, { template: false });
    const refused = await api.deleteImage(template.id).catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 409, code: 'image_in_use' });
    expect((refused as ApiProblem).message).toMatch(/web-2/);
    await api.changeImage(template.id, { template: true });
    for (const vm of (await api.vms()).items) {
      await api.orderVm(vm.id ?? 0, 'power-off');
      await ended((await api.deleteVm(vm.id ?? 0, { disks: true })).operation);
    }
    expect(await everything()).toMatchObject({ vms: [], images: [template.name], seeds: [], machines: [] });
    expect(facts()).toEqual(before);
  });

  it('a refused machine creation names the cause and leaves no files', async () => {
    const { api } = host.server;
    await create({ name: 'taken', start: false });
    const before = await everything();
    const disks = [{ kind: 'copy' as const, image: template.id }];
    const refusals: [what: string, changes: Partial<CreateVmRequest>, expected: object][] = [
      ['a bad name', { name: '--help' }, { status: 422, field: 'name' }],
      ['a name of markup', { name: '<a/>' }, { status: 422, field: 'name' }],
      ['a taken name', { name: 'taken' }, { status: 409, code: 'vm_name_taken', field: 'name' }],
      ['too much memory', { memoryBytes: 2 ** 44 }, { code: 'not_enough_memory', field: 'memoryBytes' }],
      ['an unknown network', { network: { kind: 'bridge', name: 'nowhere0' } }, { code: 'unknown_network' }],
      ['an unknown image', { disks: [{ kind: 'copy', image: 4711 }] }, { status: 404 }],
    ];
    const took: string[] = [];
    const refuse = async (what: string, changes: Partial<CreateVmRequest>): Promise<unknown> => {
      const startedAt = performance.now();
      const answer = await api
        .createVm({ ...small, name: 'never', disks, firstBoot: { user: 'me' }, ...changes })
        .catch((error: unknown) => error);
      took.push(`${what} ${Math.round(performance.now() - startedAt)} ms`);
      return answer;
    };
    for (const [what, changes, expected] of refusals) {
      expect(await refuse(what, changes), what).toMatchObject(expected);
    }
    const away = join(host.server.dataDir, 'away');
    renameSync(pool('.wcc-pool'), away);
    const unreadable = await refuse('a pool that is not there', {});
    renameSync(away, pool('.wcc-pool'));
    expect(unreadable).toMatchObject({ code: 'pool_unavailable' });
    await until(async () => (await api.pools()).items[0]?.state === 'ready', { what: 'the pool to be back' });
    expect(await everything()).toEqual(before);
    console.log(`${driver}: refused: ${took.join(', ')}`);
  });

  it('special characters in name, host name, user, key and user-data never become syntax', async () => {
    const { api, dataDir } = host.server;
    const nasty = `"'<&>]]>\n- evil: {}\n#cloud-config`;
    const one = await create({ name: '1', firstBoot: { sshKeys: [], userData: `#!/bin/sh\necho ${nasty}` } });
    const two = await create({
      name: '2',
      start: false,
      firstBoot: { sshKeys: [`ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 "'<&>]]>{}: !!js`] },
    });
    expect(one.state).toBe('running');
    for (const firstBoot of [
      { hostname: nasty },
      { user: nasty },
      { sshKeys: [`ssh-ed25519 AAAA ${nasty}`] },
    ]) {
      const refused = api.createVm({ ...small, name: 'never', disks: [], firstBoot });
      await expect(refused, JSON.stringify(firstBoot)).rejects.toMatchObject({ status: 422 });
    }
    for (const { uuid } of [one, two]) {
      const seed = statSync(join(dataDir, 'seeds', `${uuid}.iso`));
      expect(seed.mode & 0o777).toBe(0o600);
    }
    expect(statSync(join(dataDir, 'seeds')).mode & 0o777).toBe(0o700);
    // The name "2" is also the number of another machine in the hypervisor.
    await api.orderVm(two.id ?? 0, 'power-off');
    expect((await api.vm(one.id ?? 0)).state).toBe('running');
    await api.orderVm(one.id ?? 0, 'power-off');
  });

  it('a raw disk stays raw after the guest writes a qcow2 header into it', async () => {
    const { api } = host.server;
    const header = Buffer.alloc(512);
    const victim = '/etc/passwd';
    header.write('QFI\xfb', 'latin1');
    header.writeUInt32BE(2, 4);
    header.writeBigUInt64BE(256n, 8);
    header.writeUInt32BE(victim.length, 16);
    header.writeUInt32BE(16, 20);
    header.writeBigUInt64BE(BigInt(MiB), 24);
    header.write(victim, 256);
    const disk = Buffer.alloc(MiB);
    Buffer.concat([createOverwriter(), header]).copy(disk);
    writeFileSync(pool('evil.raw'), disk);
    const image = await registerImage(host.server, 'evil.raw');
    const vm = await create({ name: 'evil', disks: [{ kind: 'copy', image: image.id }] });
    await until(async () => (await serialOf(vm.id ?? 0)).includes(overwriterSays), {
      what: 'the guest to write',
    });
    await api.orderVm(vm.id ?? 0, 'power-off');
    const { operation } = await api.copyVm(vm.id ?? 0, { name: 'copied' });
    const copied = await api.vm(Number((await ended(operation)).target?.id));
    for (const { id, disks } of [vm, copied]) {
      const [{ name, format } = { name: '', format: '' }] = disks;
      expect(format).toBe('raw');
      const started = await api.orderVm(id ?? 0, 'start');
      expect(started.state).toBe('running');
      const bytes = readFileSync(pool(name));
      expect(bytes).toHaveLength(MiB);
      expect(bytes.subarray(0, 512)).toEqual(header);
      await api.orderVm(id ?? 0, 'power-off');
    }
    const registered = (await listImages(host.server)).filter(({ name }) => /^(evil|copied)-/.test(name));
    expect(registered.map(({ format, state }) => `${format} ${state}`)).toEqual(['raw ready', 'raw ready']);
  });

  it('wcc finds a running machine and its screen after SIGKILL of wcc and its daemons', async () => {
    const vm = await create({ name: 'survivor' });
    await seeScreen(vm.id ?? 0);
    await host.server.kill();
    await host.killDaemons();
    await host.server.start();
    const found = await host.server.api.vm(vm.id ?? 0);
    expect(found).toMatchObject({ state: 'running', uuid: vm.uuid, operation: null });
    expect(found.may).toMatchObject({ screen: true, powerOff: true, start: false });
    await seeScreen(vm.id ?? 0);
    await host.killDaemons();
    expect((await host.server.api.vm(vm.id ?? 0)).state).toBe('running');
    await seeScreen(vm.id ?? 0);
    expect((await host.server.api.orderVm(vm.id ?? 0, 'power-off')).state).toBe('shut_off');
  });
}
