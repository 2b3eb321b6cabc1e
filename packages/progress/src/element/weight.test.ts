import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import type { Rollup } from 'vite';
import { expect, it, vi } from 'vitest';

it('keeps the bundled element with styles and both languages within 12 kB gzip', async () => {
  const input = fileURLToPath(new URL('../../dist/element/define.js', import.meta.url));
  vi.stubEnv('NODE_ENV', 'production');
  const options = { configFile: false, logLevel: 'error' } as const;
  const bundle = await build({ ...options, build: { write: false, rolldownOptions: { input } } });
  vi.unstubAllEnvs();
  const { output } = bundle as Rollup.RollupOutput;
  const code = output.map((file) => (file.type === 'chunk' ? file.code : '')).join('');
  // The bundle contains the tag, the styles and the second language.
  for (const part of ['wcc-progress', 'forced-colors', 'コピー']) expect(code).toContain(part);
  expect(gzipSync(code).length).toBeLessThanOrEqual(12_000);
});
