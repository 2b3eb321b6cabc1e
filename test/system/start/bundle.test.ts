import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import LibsqlDatabase from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MiB, sha256 } from '../../kit/images.ts';
import { registerImage, waitForState } from '../../kit/operations.ts';
import { startServer } from '../../kit/server.ts';
import type { TestServer } from '../../kit/server.ts';
import { createTusClient } from '../../kit/tus.ts';

const bundle = fileURLToPath(new URL('../../../packages/server/bundle/', import.meta.url));
const cli = fileURLToPath(new URL('../../../packages/cli/bundle/', import.meta.url));
let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/** Everything that the server opens by an address: threads, processes, native modules and files. */
describe('a bundled server', () => {
  it('copies an image and verifies the copy', async () => {
    const path = join(server.poolDir, 'source.raw');
    writeFileSync(path, randomBytes(MiB));
    const image = await registerImage(server, 'source.raw');
    const { operation } = await server.api.copyImage(image.id, {
      name: 'copy.raw',
      method: 'copy',
      verify: true,
    });
    await waitForState(server, operation.id, { states: ['succeeded'] });
    expect(await sha256(join(server.poolDir, 'copy.raw'))).toBe(await sha256(path));
  });

  it('receives an upload', async () => {
    const bytes = randomBytes(MiB);
    const tus = createTusClient(server.baseUrl, { authorization: `Bearer ${server.token}` });
    const digest = createHash('sha256').update(bytes).digest('hex');
    const path = await tus.create('sent.raw', bytes.length, { sha256: digest });
    expect(await tus.patch(path, 0, bytes)).toMatchObject({ status: 204, offset: bytes.length });
    await expect.poll(() => existsSync(join(server.poolDir, 'sent.raw'))).toBe(true);
  });

  it('checks a sound and a damaged database in a process of its own', () => {
    const path = join(server.dataDir, 'checked.sqlite');
    const database = new LibsqlDatabase(path);
    database.exec('create table words (word text); insert into words values (hex(randomblob(65536)))');
    database.close();
    const check = (): number | null =>
      spawnSync(process.execPath, [join(bundle, 'storage/check-process.js')], { input: path }).status;
    expect(check()).toBe(0);
    const bytes = readFileSync(path);
    writeFileSync(path, Buffer.concat([bytes.subarray(0, 4096), randomBytes(bytes.length - 4096)]));
    expect(check()).toBe(3);
  });

  it('serves the console and its version', async () => {
    const page = await fetch(`${server.baseUrl}/`);
    expect(page.status).toBe(200);
    const [script] = /\/assets\/[^"]+\.js/.exec(await page.text()) ?? [];
    const answer = await fetch(`${server.baseUrl}${script}`);
    expect(answer.status).toBe(200);
    expect((await answer.text()).length).toBeGreaterThan(1000);
    const { version } = JSON.parse(readFileSync(join(bundle, '../package.json'), 'utf8')) as {
      version: string;
    };
    expect(server.log()).toContain(`wcc ${version} is ready`);
  });
});

it.each([
  [bundle, ['fastify', 'kysely', 'zod']],
  [cli, ['commander', 'ws']],
])('%s has the licences of the packages in it', (folder, names) => {
  const notices = readFileSync(join(folder, 'THIRD-PARTY-NOTICES.txt'), 'utf8');
  for (const name of names)
    expect(notices).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(MIT\\)\n\n.*MIT`, 'ms'));
});

it('the command line contains no schemas, which every command would load', () => {
  expect(readFileSync(join(cli, 'THIRD-PARTY-NOTICES.txt'), 'utf8')).not.toMatch(/^zod /m);
});
