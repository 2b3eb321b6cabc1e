import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Pool } from '@wcc/api';
import { makeWorkspace } from '../kit/directories.ts';
import type { Workspace } from '../kit/directories.ts';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { runToExit, startServer } from '../kit/server.ts';
import type { ServerOptions, TestServer } from '../kit/server.ts';

let workspace: Workspace;
const servers: TestServer[] = [];
beforeEach(() => {
  workspace = makeWorkspace('configuration');
  mkdirSync(join(workspace.path, 'pool'));
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  workspace.remove();
});

async function start(options: ServerOptions = {}): Promise<TestServer> {
  const server = await startServer({ home: workspace.path, ...options });
  servers.push(server);
  return server;
}

async function theOnlyPool(server: TestServer): Promise<Pool> {
  return (await server.api.pools()).items[0]!;
}

/**
 * Expects that the pool is unavailable with this reason, that wcc refuses work, and that it writes nothing to the
 * pool.
 */
async function expectUnavailable(server: TestServer, reason: RegExp): Promise<void> {
  const before = readdirSync(server.poolDir);
  const pool = await theOnlyPool(server);
  expect(pool).toMatchObject({
    state: 'unavailable',
    stateReason: { hint: expect.stringMatching(/\w/) as string },
  });
  expect(`${pool.stateReason?.code} ${pool.stateReason?.message}`).toMatch(reason);
  await expect(server.api.makeSampleImage({ sizeBytes: MiB })).rejects.toMatchObject({
    status: 503,
    code: 'pool_unavailable',
  });
  expect(readdirSync(server.poolDir)).toEqual(before);
}

describe('start-up checks', () => {
  it('the server does not start on a port in use', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    try {
      const { port } = other.address() as AddressInfo;
      const { code, output } = await runToExit({ home: workspace.path, port });
      expect(code).toBe(2);
      expect(output).toMatch(/port_in_use/);
      expect(output).toContain(String(port));
      expect(output).toMatch(/--port/);
    } finally {
      other.close();
    }
  });

  it('the server does not start when its data directory is a file', async () => {
    writeFileSync(join(workspace.path, 'data'), '');
    const { code, output } = await runToExit({ home: workspace.path });
    expect(code).toBe(2);
    expect(output).toMatch(/data_dir_unwritable/);
    expect(output).toContain(join(workspace.path, 'data'));
  });

  it.each([
    ['an unknown flag', 'option_invalid', ['--prot', '80']],
    ['an invalid port', 'option_invalid', ['--port', 'http']],
    ['HSTS without a trusted certificate', 'tls_required', ['--host', '0.0.0.0', '--hsts']],
    [
      'TLS files that do not exist',
      'tls_unreadable',
      ['--tls-cert', '/nonexistent/c', '--tls-key', '/nonexistent/k'],
    ],
  ])('the server does not start with %s', async (_what, errorCode, args) => {
    const { code, output } = await runToExit({ home: workspace.path, args });
    expect(code).toBe(2);
    expect(output).toContain(errorCode);
    expect(existsSync(join(workspace.path, 'data'))).toBe(false);
  });

  it('the server does not start with an admin token that is too short', async () => {
    const { code, output } = await runToExit({ home: workspace.path, token: 'short-secret' });
    expect(code).toBe(2);
    expect(output).toContain('admin_token_short');
    expect(output).toMatch(/32/);
    expect(output).not.toContain('short-secret');
  });
});

describe('pools that the server must not use', () => {
  it('a pool without its marker, as after an unmount, stays unchanged', async () => {
    expect.hasAssertions();
    const server = await start();
    await server.stop();
    rmSync(join(server.poolDir, '.wcc-pool'));
    await server.start();
    await expectUnavailable(server, /marker|mount/i);
  });

  it('a pool with the marker of another installation stays unchanged', async () => {
    expect.hasAssertions();
    const server = await start();
    await server.stop();
    const path = join(server.poolDir, '.wcc-pool');
    const marker = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    writeFileSync(path, JSON.stringify({ ...marker, installationId: 'another' }));
    await server.start();
    await expectUnavailable(server, /installation|foreign|other/i);
  });

  it('a pool that another wcc uses stays unchanged, with the same or another data directory', async () => {
    const first = await start();
    const second = await startServer({
      home: workspace.path,
      dataDir: join(workspace.path, 'data-2'),
    });
    servers.push(second);
    await expectUnavailable(second, /lock|use|installation|other/i);
    expect((await theOnlyPool(first)).state).toBe('ready');
  });

  it('a pool that every user may write to stays unchanged', async () => {
    expect.hasAssertions();
    chmodSync(join(workspace.path, 'pool'), 0o777);
    await expectUnavailable(await start(), /world|writable|permission/i);
  });
});

const unprivilegedId = 65_534;
const refusal = unprivilegedRefusal();
if (refusal !== null) console.log(`Skipped, rights of an ordinary user: ${refusal}.`);

/** Root ignores file permissions, so these tests run the server as another user. */
function unprivilegedRefusal(): string | null {
  if (process.getuid?.() !== 0) return 'starting a process as another user needs root';
  const main = fileURLToPath(new URL('../../packages/server/bundle/main.js', import.meta.url));
  const probe = spawnSync(process.execPath, ['-e', `require("fs").readFileSync(${JSON.stringify(main)})`], {
    uid: unprivilegedId,
    gid: unprivilegedId,
  });
  return probe.status === 0 ? null : 'the working copy is not readable for other users';
}

describe.skipIf(refusal !== null)('a server without root rights', () => {
  function asUnprivileged(): ServerOptions & { home: string } {
    chmodSync(workspace.path, 0o755);
    const dataDir = join(workspace.path, 'data');
    mkdirSync(dataDir, { mode: 0o700 });
    chownSync(dataDir, unprivilegedId, unprivilegedId);
    return { home: workspace.path, dataDir, uid: unprivilegedId, gid: unprivilegedId };
  }

  it('does not start with a pool that its user cannot write', async () => {
    chmodSync(join(workspace.path, 'pool'), 0o755);
    const { code, output } = await runToExit(asUnprivileged());
    expect(code).toBe(2);
    expect(output).toContain('pool_unwritable');
    expect(output).toContain(join(workspace.path, 'pool'));
    expect(readdirSync(join(workspace.path, 'pool'))).toEqual([]);
  });

  it('does not start with a data directory that its user cannot write', async () => {
    const options = asUnprivileged();
    chownSync(options.dataDir!, 0, 0);
    const { code, output } = await runToExit(options);
    expect(code).toBe(2);
    expect(output).toMatch(/data_dir_unwritable/);
    expect(output).toContain(options.dataDir);
  });

  it('refuses to copy an image that its user cannot read', async () => {
    const options = asUnprivileged();
    chownSync(join(workspace.path, 'pool'), unprivilegedId, unprivilegedId);
    const server = await start(options);
    const path = join(server.poolDir, 'secret.raw');
    await makeRandomImage(path, MiB);
    chmodSync(path, 0o600);
    await server.api.rescan((await theOnlyPool(server)).id);
    const { items } = await server.api.images();
    const image = items.find(({ name }) => name === 'secret.raw');
    expect(image).toMatchObject({ state: 'refused', stateReason: 'unreadable' });
    await expect(server.api.copyImage(image!.id, { name: 'copy.raw' })).rejects.toMatchObject({
      status: 409,
      code: 'image_unavailable',
      hint: expect.stringMatching(/\w/) as string,
    });
    expect(existsSync(join(server.poolDir, 'copy.raw'))).toBe(false);
  });
});
