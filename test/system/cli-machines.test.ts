import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Vm } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootSectorTexts } from '../../packages/server/src/images/sample/boot-sector.ts';
import { bootableIso } from '../../packages/server/src/machines/seed/iso.testkit.ts';
import type { CliResult, CliOptions } from '../kit/cli.ts';
import { runCli, startCli } from '../kit/cli.ts';
import { makeWorkspace } from '../kit/directories.ts';
import type { Workspace } from '../kit/directories.ts';
import { findImage, registerImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { noteSecret } from '../kit/secrets.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';

const mebibyte = 1_048_576;
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE2dG4 sato@desk';
const password = noteSecret('the password of a machine');
let server: TestServer;
let workspace: Workspace;

beforeAll(async () => {
  workspace = makeWorkspace('cli-machines');
  server = await startServer({ args: ['--hypervisor', 'qemu'] });
  const { operation } = await server.api.makeSampleImage({ name: 'sample.raw', sizeBytes: 16 * mebibyte });
  await waitForState(server, operation.id, { states: ['succeeded'] });
  writeFileSync(join(server.poolDir, 'boot.iso'), bootableIso());
  await registerImage(server, 'boot.iso');
  writeFileSync(join(workspace.path, 'id.pub'), `# mine\n${key}\n`);
  writeFileSync(join(workspace.path, 'id'), '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n');
});
afterAll(async () => {
  for (const { id } of (await server.api.vms()).items)
    if (id !== null) await server.api.orderVm(id, 'power-off');
  await server.close();
  workspace.remove();
});

function vm(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return runCli(['vm', ...args], { server, cwd: workspace.path, ...options });
}

async function machine(name: string): Promise<Vm> {
  return JSON.parse((await vm(['show', name, '--json'])).stdout) as Vm;
}

/** A small screen needs little memory beside other tests. */
const small = ['--memory', '32M', '--cpus', '1'];
const recordsOf = (text: string): Snapshot[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Snapshot);

describe('wcc vm', () => {
  it('creates a machine from an image and an empty disk, with no password in its first-boot data', async () => {
    expect(await vm(['ls'])).toMatchObject({ code: 0, stdout: 'No machines.\n' });
    const disks = ['--disk', 'image:sample.raw,size=32M', '--disk', 'blank:1M,format=raw'];
    const boot = ['--user', 'admin', '--ssh-key', 'id.pub', '--hostname', 'web', '--password-file', '-'];
    const made = await vm(['create', 'web-1', ...small, ...disks, ...boot, '--network', 'none'], {
      stdin: `${password}\n`,
    });
    expect(made).toMatchObject({ code: 0 });
    expect(made.stdout).toMatch(/^web-1 \(vm \d+\): Done in /);
    const { uuid, state, disks: listed, network, may } = await machine('web-1');
    expect({ state, network }).toEqual({ state: 'running', network: { kind: 'none', name: null } });
    expect(listed.map(({ sizeBytes, format }) => [sizeBytes, format])).toEqual([
      [32 * mebibyte, 'raw'],
      [mebibyte, 'raw'],
    ]);
    expect(may.screen).toBe(true);
    const seed = readFileSync(join(server.dataDir, 'seeds', `${uuid}.iso`), 'latin1');
    expect(seed).toContain(key);
    expect(seed).toContain('"$6$');
    expect(seed).not.toContain(password);
  });

  it('lists and shows machines, for people and for programs', async () => {
    expect((await vm(['ls'])).stdout).toMatch(
      /^ID +NAME +STATE +CPUS +MEMORY +DISKS +OWNER\n\d+ +web-1 +running +1 +32\.0 MiB +33\.0 MiB +admin-token\n$/,
    );
    const listed = JSON.parse((await vm(['ls', '--json'])).stdout) as { items: Vm[] };
    const one = await machine('web-1');
    expect(listed.items).toEqual([one]);
    expect(await machine(String(one.id))).toEqual(one);
    const { stdout } = await vm(['show', 'web-1']);
    expect(stdout).toMatch(/state: +running\n/);
    expect(stdout).toMatch(/disk 0: +web-1-disk0\.raw \(image \d+\), 32\.0 MiB raw\n/);
  });

  it('opens the screen page, saves a screenshot, and follows the serial log through a restart', async () => {
    const { id } = await machine('web-1');
    const url = `${server.baseUrl}/machines/${id}`;
    expect(await vm(['screen', 'web-1'])).toMatchObject({ code: 0, stdout: `${url}\n`, stderr: '' });
    expect(JSON.parse((await vm(['screen', 'web-1', '--json'])).stdout)).toEqual({
      vm: id,
      url,
      state: 'running',
    });
    expect(await vm(['screen', 'web-1', '--screenshot', 'web.png'])).toMatchObject({ code: 0, stderr: '' });
    const picture = readFileSync(join(workspace.path, 'web.png'));
    expect(picture.subarray(0, 8).toString('hex')).toBe('89504e470d0a1a0a');
    expect(await vm(['screen', 'web-1', '--screenshot', 'web.png'])).toMatchObject({ code: 7 });
    expect(await vm(['screen', 'web-1', '--screenshot', 'web.png', '--force'])).toMatchObject({ code: 0 });

    const serial = startCli(['vm', 'screen', 'web-1', '--serial'], { server });
    const hellos = (): number => serial.stdout.split(bootSectorTexts.hello).length - 1;
    await until(() => hellos() === 1, { what: 'the greeting of the guest' });
    await server.kill();
    await until(() => serial.stderr.includes('no connection'), {
      what: 'the lost connection to be reported',
    });
    await server.start();
    await until(() => serial.stderr.includes('reconnected'), { what: 'the command to reconnect' });
    expect(await vm(['reset', 'web-1'])).toMatchObject({ code: 0, stdout: 'web-1: running\n' });
    await until(() => hellos() > 1, { what: 'the second greeting' });
    serial.kill('SIGINT');
    expect(await serial.result).toMatchObject({ code: 130 });
    expect(hellos()).toBe(2);
  });

  it('opens the page in the desktop’s browser, and reports a missing desktop', async () => {
    const { id } = await machine('web-1');
    const bin = join(workspace.path, 'bin');
    mkdirSync(bin);
    const opened = join(workspace.path, 'opened');
    writeFileSync(join(bin, 'xdg-open'), `#!/bin/sh\necho "$1 $WCC_TOKEN" > '${opened}'\n`, { mode: 0o755 });
    const open = await vm(['screen', 'web-1', '--open'], { env: { PATH: bin } });
    expect(open).toMatchObject({ code: 0 });
    const read = (): string => readFileSync(opened, { encoding: 'utf8', flag: 'a+' });
    await until(() => read() === `${server.baseUrl}/machines/${id} \n`, { what: 'the browser' });
    const none = await vm(['screen', 'web-1', '--open'], { env: { PATH: workspace.path } });
    expect(none).toMatchObject({ code: 1 });
    expect(none.stderr).toContain(`Open it yourself: ${server.baseUrl}/machines/${id}`);
  });

  it('shuts down, starts, powers off, and deletes a machine without its disks', async () => {
    expect(await vm(['stop', 'web-1', '--wait', '60s'])).toMatchObject({ code: 0, stdout: 'web-1: off\n' });
    const again = await vm(['stop', 'web-1', '--json']);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(JSON.parse(again.stderr)).toMatchObject({
      error: { code: 'vm_not_running', hint: 'Start it first.' },
    });
    expect((await vm(['screen', 'web-1'])).stderr).toBe('web-1 is off and has no screen now.\n');
    expect(await vm(['start', 'web-1'])).toMatchObject({ code: 0, stdout: 'web-1: running\n' });
    const off = await vm(['stop', 'web-1', '--force', '--json']);
    expect(JSON.parse(off.stdout)).toMatchObject({ name: 'web-1', state: 'shut_off' });
    expect(await vm(['rm', 'web-1'])).toMatchObject({ code: 2, stdout: '' });
    expect(await vm(['rm', 'web-1', '--keep-disks', '--yes'])).toMatchObject({ code: 0 });
    expect(await vm(['show', 'web-1'])).toMatchObject({ code: 4 });
    expect(await findImage(server, 'web-1-disk0.raw')).toMatchObject({ state: 'ready', usedBy: [] });
  });

  it('boots an ISO, asks for confirmation on a terminal, and deletes a running machine', async () => {
    const made = await vm(['create', 'disc', ...small, '--disk', 'blank:1M', '--iso', 'boot.iso', '--json']);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const { state, action, result } = recordsOf(made.stdout).at(-1)!;
    const one = await machine('disc');
    expect({ state, action, result }).toMatchObject({
      state: 'succeeded',
      action: 'create_vm',
      result: { kind: 'vm', id: one.id },
    });
    expect(one).toMatchObject({ state: 'running', cdrom: { name: 'boot.iso' } });
    const serial = startCli(['vm', 'screen', 'disc', '--serial'], { server, terminal: { columns: 100 } });
    await until(() => serial.stdout.includes(bootSectorTexts.hello), { what: 'the greeting from the disc' });
    serial.write('\u0003');
    expect(await serial.result).toMatchObject({ code: 130 });
    const rm = startCli(['vm', 'rm', 'disc'], { server, terminal: { columns: 200 } });
    await until(() => rm.stdout.includes('? It is running. [y/N] '), { what: 'the question' });
    rm.write('y\r');
    expect(await rm.result).toMatchObject({ code: 0 });
    expect(await vm(['show', 'disc'])).toMatchObject({ code: 4 });
    expect(await findImage(server, 'disc-disk0.qcow2')).toBeUndefined();
  });
});

describe('the first-boot profile of wcc vm create', () => {
  it('wcc vm create merges the profile with the flags when requested, and refuses an empty profile', async () => {
    const other = key.replace('sato@desk', 'sato@home');
    const create = ['create', 'own', ...small, '--no-start', '--disk', 'blank:1M', '--profile'];
    expect(await vm(create)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Settings') as string,
    });
    await server.api.changeProfile({ user: 'sato', sshKeys: [other] });
    expect(await vm([...create, '--ssh-key', 'id.pub'])).toMatchObject({ code: 0 });
    const { uuid } = await machine('own');
    const seed = readFileSync(join(server.dataDir, 'seeds', `${uuid}.iso`), 'latin1');
    for (const words of ['"sato"', key, other]) expect(seed).toContain(words);
    expect(await vm(['rm', 'own', '--yes'])).toMatchObject({ code: 0 });
  });
});

describe('wcc vm quick-create', () => {
  it('uses the user’s first-boot profile, the requested size, and a generated name', async () => {
    await server.api.changeProfile({ user: 'sato', sshKeys: [key] });
    const args = ['sample.raw', '123', '--size', '32M', '--memory', '32M', '--full-copy'];
    const begun = await vm(['quick-create', ...args, '--no-start', '--detach', '--json']);
    const { id } = JSON.parse(begun.stdout) as Snapshot;
    expect(await runCli(['op', 'watch', id], { server })).toMatchObject({ code: 0 });
    const byId = await vm(['show', '123']);
    expect(byId).toMatchObject({ code: 4 });
    expect(byId.stderr).toContain('name:123');
    const one = await machine('name:123');
    expect(one).toMatchObject({ name: '123', state: 'shut_off', memoryBytes: 32 * mebibyte });
    expect(one.disks).toMatchObject([{ sizeBytes: 32 * mebibyte, base: null }]);
    const seed = readFileSync(join(server.dataDir, 'seeds', `${one.uuid}.iso`), 'latin1');
    expect(seed).toContain('sato');
    expect(seed).toContain(key);
  });

  it('reports a machine that ignores the power button as still running', async () => {
    // An empty disk has no system that reacts to the power button.
    expect(await vm(['create', 'deaf', ...small, '--disk', 'blank:1M'])).toMatchObject({ code: 0 });
    expect((await vm(['stop', 'deaf'])).stdout).toBe('deaf: asked to shut down\n');
    const waited = await vm(['stop', 'deaf', '--wait', '1s']);
    expect(waited).toMatchObject({ code: 1, stdout: '' });
    expect(waited.stderr).toMatch(/"deaf" has not shut down yet\.\n.*wcc vm stop \d+ --force\n/);
  });
});

describe('wcc vm errors', () => {
  it('each have an exit code and a message', async () => {
    const disk = ['--disk', 'blank:1M'];
    const cases: [string[], number, string][] = [
      [['show', '99999'], 4, 'There is no machine 99999.'],
      [['show', '--', '--json'], 4, 'There is no machine "--json".'],
      [['create', 'x'], 2, 'A machine needs a disk or an ISO.'],
      [['create', ...disk, '--', '-x'], 1, 'name: Use 1 to 63'],
      [['create', 'x', '--disk', '/dev/sda'], 2, '"/dev/sda" is not a valid disk.'],
      [['create', 'x', '--disk', 'image:none.raw'], 4, 'There is no image "none.raw".'],
      [['create', 'x', ...disk, '--memory', '2048'], 2, 'with a unit'],
      [['create', 'x', ...disk, '--network', 'bridge:wcc-none'], 1, 'no bridge with this name'],
      [['create', 'x', ...disk, '--ssh-key', 'id'], 2, '--ssh-key id.pub'],
      [['create', 'x', ...disk, '--user-data', 'nowhere'], 7, 'ENOENT'],
      [['create', 'deaf', ...small, ...disk], 1, 'A machine named "deaf" already exists.'],
      [['quick-create', 'sample.raw', 'x', '--size', '1M'], 1, 'sizeBytes: The image is larger'],
      [['screen', 'deaf', '--serial', '--json'], 2, 'cannot be used with'],
    ];
    for (const [args, code, words] of cases) {
      const end = await vm(args);
      expect(end.stderr, args.join(' ')).toContain(words);
      expect(end, args.join(' ')).toMatchObject({ code, stdout: '' });
    }
  });

  it('a viewer can neither see nor create a machine', async () => {
    const { id } = await server.api.createUser({ name: 'guest', role: 'viewer', password });
    expect(id).toBeTruthy();
    const env = { XDG_CONFIG_HOME: workspace.path };
    const login = ['login', server.baseUrl, '--user', 'guest'];
    expect(await runCli(login, { env, stdin: `${password}\n` })).toMatchObject({ code: 0 });
    expect(await runCli(['vm', 'show', 'deaf'], { env })).toMatchObject({ code: 4 });
    const make = await runCli(['vm', 'create', 'mine', '--disk', 'blank:1M', '--json'], { env });
    expect(make).toMatchObject({ code: 3, stdout: '' });
    expect(JSON.parse(make.stderr)).toMatchObject({ error: { code: 'forbidden' } });
  });
});
