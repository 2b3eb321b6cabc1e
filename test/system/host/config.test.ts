import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runCli } from '../../kit/cli.ts';
import { makeWorkspace } from '../../kit/directories.ts';
import type { Workspace } from '../../kit/directories.ts';

let workspace: Workspace;
let file: string;
beforeEach(() => {
  workspace = makeWorkspace('config');
  file = join(workspace.path, 'wcc.env');
});
afterEach(() => workspace.remove());

it('wcc config prints values with their origins, and never a secret', async () => {
  const secret = '0123456789abcdef0123456789abcdef';
  writeFileSync(file, `WCC_HYPERVISOR=qemu\nWCC_ADMIN_TOKEN=${secret}\n`, { mode: 0o600 });
  const text = await runCli(['config', '--config', file, '--port', '8443']);
  expect(text).toMatchObject({ code: 0, stderr: '' });
  expect(text.stdout).toContain(`Configuration file: ${file}\n`);
  expect(text.stdout).toMatch(new RegExp(`^WCC_HYPERVISOR +qemu +${file}:1$`, 'm'));
  expect(text.stdout).toMatch(new RegExp(`^WCC_ADMIN_TOKEN +\\(hidden\\) +${file}:2$`, 'm'));
  expect(text.stdout).toMatch(/^WCC_PORT +8443 +flag --port$/m);
  expect(text.stdout).toMatch(/^WCC_LOG_LEVEL +info +default$/m);
  const json = await runCli(['config', '--json'], { env: { WCC_CONFIG: file } });
  expect(JSON.parse(json.stdout)).toMatchObject({ file });
  expect(text.stdout + json.stdout).not.toContain(secret);
});

it('wcc config refuses a wrong line with its place and exit code 2', async () => {
  writeFileSync(file, '\nWCC_PROT=8443\n');
  const refused = await runCli(['config', '--config', file]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(`${file}:2: WCC_PROT is not a setting of wcc. Did you mean WCC_PORT?`);
});

it('wcc config --template prints a file that a server accepts', async () => {
  const template = await runCli(['config', '--template', '--pool', '/srv/vm images']);
  expect(template.code).toBe(0);
  writeFileSync(file, template.stdout);
  const used = await runCli(['config', '--config', file, '--json']);
  expect(JSON.parse(used.stdout)).toMatchObject({
    settings: expect.arrayContaining([
      expect.objectContaining({ name: 'WCC_POOL', value: '/srv/vm images' }),
      expect.objectContaining({ name: 'WCC_PORT', origin: { kind: 'default' } }),
    ]) as unknown,
  });
});

it('a start that fails names the line of the value that only the start could try', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const dataDir = join(workspace.path, 'data');
  writeFileSync(file, `WCC_PORT=${port}\nWCC_DATA_DIR=${dataDir}\n`);
  const used = await runCli(['serve', '--config', file]);
  expect(used).toMatchObject({ code: 2, stdout: '' });
  expect(used.stderr).toContain(`(port_in_use): Another program uses port ${port}`);
  expect(used.stderr).toContain(`\nSet by: ${file}:1: WCC_PORT\n`);
  other.close();
  const inFile = join(file, 'data');
  writeFileSync(file, `#\nWCC_DATA_DIR=${inFile}\n`);
  const wrong = await runCli(['serve', '--config', file, '--port', '0']);
  expect(wrong.stderr).toContain('(data_dir_unwritable)');
  expect(wrong.stderr).toContain(`\nSet by: ${file}:2: WCC_DATA_DIR\n`);
});
