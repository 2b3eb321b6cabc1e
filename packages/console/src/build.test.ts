import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import type { Rollup } from 'vite';
import { beforeAll, describe, expect, it, vi } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

describe('the built console', () => {
  const files = new Map<string, string>();

  beforeAll(async () => {
    // The test runner's own NODE_ENV would select Lit's development build.
    vi.stubEnv('NODE_ENV', 'production');
    const output = (await build({ root, logLevel: 'error', build: { write: false } })) as Rollup.RollupOutput;
    vi.unstubAllEnvs();
    for (const file of output.output)
      files.set(file.fileName, file.type === 'chunk' ? file.code : Buffer.from(file.source).toString());
  });

  it('has at most 60 kB gzip for the first page and 15 kB for each lazy part', () => {
    const page = files.get('index.html') ?? '';
    const gzipBytes = (names: string[]): number =>
      names.reduce((sum, name) => sum + gzipSync(files.get(name) ?? '').length, 0);
    const isFirst = (name: string): boolean => name === 'index.html' || page.includes(name);
    const first = [...files.keys()].filter(isFirst);
    expect(gzipBytes(first)).toBeGreaterThan(20_000);
    expect(gzipBytes(first)).toBeLessThanOrEqual(60_000);
    // noVNC is third-party code and is loaded only with the first screen.
    const later = [...files.keys()].filter((name) => !isFirst(name) && !name.includes('/novnc-'));
    expect(later.length).toBeGreaterThan(1);
    for (const name of later) expect(gzipBytes([name]), name).toBeLessThanOrEqual(15_000);
  });

  it('has no inline code, as its Content-Security-Policy requires, and names files by content', () => {
    const html = files.get('index.html') ?? '';
    expect(html).toContain('<wcc-console>');
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon[a-z]+=/i);
    const named = new Set(['index.html', 'THIRD-PARTY-NOTICES.md']);
    for (const name of files.keys())
      if (!named.has(name)) expect(name).toMatch(/^assets\/.+-[\w-]{8}\.(js|css)$/);
  });

  it('binds no style attribute, which the Content-Security-Policy would refuse', () => {
    for (const [name, text] of files) expect(text, name).not.toMatch(/\sstyle=/);
  });
});
