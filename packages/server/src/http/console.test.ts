import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ServerUnderTest } from './server.testkit.ts';
import { startTestServer } from './server.testkit.ts';

let consoleDir: string;
let server: ServerUnderTest;

beforeAll(async () => {
  const parent = mkdtempSync(join(tmpdir(), 'wcc-console-'));
  consoleDir = join(parent, 'dist');
  mkdirSync(join(consoleDir, 'assets'), { recursive: true });
  writeFileSync(join(parent, 'outside.txt'), 'outside');
  writeFileSync(join(consoleDir, 'index.html'), '<!doctype html><title>wcc</title>');
  writeFileSync(join(consoleDir, 'assets', 'main-abc123.js'), 'export {};');
  writeFileSync(join(consoleDir, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  server = await startTestServer({ consoleDir });
});
afterAll(async () => {
  await server.close();
  rmSync(join(consoleDir, '..'), { recursive: true });
});

it('serves the document of the console for every page address, without caching', async () => {
  for (const path of ['/', '/images', '/operations/abc', '/first-sign-in', '/images?filter=a.b']) {
    const { status, text, headers } = await server.ask('GET', path);
    expect([path, status, headers['cache-control']]).toEqual([path, 200, 'no-cache']);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(text).toContain('<title>wcc</title>');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
  }
});

it('lets browsers cache files whose names contain a hash', async () => {
  const asset = await server.ask('GET', '/assets/main-abc123.js');
  expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  expect(asset.headers['content-type']).toMatch(/javascript/);
  expect((await server.ask('GET', '/favicon.svg')).headers['cache-control']).toBe('no-cache');
});

it('answers 404 for a missing file and serves no file outside the directory', async () => {
  const paths = [
    '/assets/gone-123.js',
    '/api/nowhere',
    '/../outside.txt',
    '/%2e%2e/outside.txt',
    '/assets/..%2f..%2foutside.txt',
  ];
  for (const path of paths) {
    const { status, text } = await server.ask('GET', path);
    expect([path, status]).toEqual([path, 404]);
    expect(text).not.toBe('outside');
  }
  const posted = await server.ask('POST', '/images');
  expect(posted.status).toBe(404);
});

it('accepts links from other sites, but no fetch and no frame', async () => {
  const from = (dest: string, mode: string) => ({
    headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': dest, 'sec-fetch-mode': mode },
  });
  expect((await server.ask('GET', '/images', from('document', 'navigate'))).status).toBe(200);
  expect((await server.ask('GET', '/images', from('iframe', 'navigate'))).status).toBe(403);
  expect((await server.ask('GET', '/assets/main-abc123.js', from('script', 'no-cors'))).status).toBe(403);
  expect((await server.ask('GET', '/api/health', from('document', 'navigate'))).status).toBe(403);
});
