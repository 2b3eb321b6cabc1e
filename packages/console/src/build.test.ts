import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import type { Rollup } from 'vite';
import { beforeAll, describe, expect, it, vi } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

describe('the built console', () => {
  const files = new Map<string, string>();

  beforeAll(async () => {
    // The test runner's own NODE_ENV would choose Lit's development build, which nobody ships.
    vi.stubEnv('NODE_ENV', 'production');
    const output = (await build({ root, logLevel: 'error', build: { write: false } })) as Rollup.RollupOutput;
    vi.unstubAllEnvs();
    for (const file of output.output)
      files.set(file.fileName, file.type === 'chunk' ? file.code : Buffer.from(file.source).toString());
  });

  it('weighs at most 60 kB gzip in all', () => {
    const gzipBytes = [...files.values()].reduce((sum, text) => sum + gzipSync(text).length, 0);
    expect(gzipBytes).toBeGreaterThan(20_000);
    expect(gzipBytes).toBeLessThanOrEqual(60_000);
  });

  it('has nothing inline, as its Content-Security-Policy asks, and names its files by content', () => {
    const html = files.get('index.html') ?? '';
    expect(html).toContain('<wcc-console>');
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon[a-z]+=/i);
    for (const name of files.keys())
      if (name !== 'index.html') expect(name).toMatch(/^assets\/.+-[\w-]{8}\.(js|css)$/);
  });

  it('binds no style attribute: the policy would refuse it', () => {
    for (const [name, text] of files) expect(text, name).not.toMatch(/\sstyle=/);
  });
});
