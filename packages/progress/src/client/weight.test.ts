import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import type { Rollup } from 'vite';
import { expect, it, vi } from 'vitest';

const client = fileURLToPath(new URL('../../dist/client/index.js', import.meta.url));

/** The code of a page that contains only this. */
async function bundle(code: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'client-weight-'));
  const input = join(directory, 'page.js');
  await writeFile(input, code);
  vi.stubEnv('NODE_ENV', 'production');
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: { write: false, rolldownOptions: { input } },
  });
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true });
  return (built as Rollup.RollupOutput).output
    .map((file) => (file.type === 'chunk' ? file.code : ''))
    .join('');
}

it('keeps the bundled client with both transports within 4.5 kB gzip', async () => {
  const code = await bundle(`import { connect } from '${client}'; globalThis.client = connect('/progress');`);
  for (const part of ['wcc.v1', 'data:', 'sockets_blocked', 'snapshots']) expect(code).toContain(part);
  // Tables that only a server needs stay out.
  for (const part of ['pendingUpgradesPerAddress', 'interrupted']) expect(code).not.toContain(part);
  expect(gzipSync(code).length).toBeLessThanOrEqual(4500);
});

it('leaves no transport in a page that uses only the error class', async () => {
  const code = await bundle(`import { ClientError } from '${client}'; globalThis.error = ClientError;`);
  expect(code).toContain('ClientError');
  expect(code).not.toContain('wcc.v1');
  expect(gzipSync(code).length).toBeLessThanOrEqual(600);
});
