import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import type { Rollup } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleSnapshot } from '../conformance/sample-snapshot.ts';

const dist = fileURLToPath(new URL('../../dist/', import.meta.url));
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; require-trusted-types-for 'script'";
const page0 = `<!doctype html><html lang="en"><title>row</title>
  <script type="module" src="/element/define.js"></script><wcc-progress></wcc-progress></html>`;

/** The built files on a page with the console's strict CSP. */
async function serve(): Promise<Server> {
  const server = createServer((request, response) => {
    response.setHeader('content-security-policy', policy);
    if (request.url === '/') return response.setHeader('content-type', 'text/html').end(page0);
    readFile(dist + String(request.url).slice(1)).then(
      (bytes) => response.setHeader('content-type', 'text/javascript').end(bytes),
      () => response.writeHead(404).end(),
    );
    return undefined;
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return server;
}

describe('<wcc-progress> in Chromium, under a strict CSP and Trusted Types', () => {
  let server: Server;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    server = await serve();
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    });
    page = await browser.newPage();
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction(() => customElements.get('wcc-progress') !== undefined);
  });

  afterAll(async () => {
    await browser.close();
    server.close();
  });

  const set = (properties: object): Promise<void> =>
    page.evaluate(async (values) => {
      Object.assign(document.querySelector('wcc-progress') as object, values);
      await new Promise((resolve) => {
        setTimeout(resolve, 300);
      });
    }, properties);

  it('paints a running copy with a labelled bar and names as plain text', async () => {
    const subject = { kind: 'image', id: 100, name: '<img src=x onerror=alert(1)>' };
    await set({ snapshot: sampleSnapshot({ subject }), may: { cancel: true, pause: true } });
    const bar = page.getByRole('progressbar', {
      name: 'Copy image <img src=x onerror=alert(1)> → web-07.raw',
    });
    expect(await bar.getAttribute('aria-valuetext')).toContain('62.5 %');
    expect(await page.locator('wcc-progress img').count()).toBe(0);
    expect(await page.locator('bdi').first().getAttribute('translate')).toBe('no');
  });

  it('announces a new value at most every five seconds', async () => {
    const bar = page.getByRole('progressbar');
    const before = await bar.getAttribute('aria-valuetext');
    const phases = sampleSnapshot().phases.map((phase) =>
      'done' in phase ? { ...phase, done: 2_000_000_000 } : phase,
    );
    await set({ snapshot: sampleSnapshot({ seq: 2, phases }) });
    expect(await bar.evaluate((node) => (node as HTMLProgressElement).value)).toBeCloseTo(0.776);
    expect(await bar.getAttribute('aria-valuetext')).toBe(before);
  });

  it('has a bar without a value when the total is unknown', async () => {
    const phases = sampleSnapshot().phases.map((phase) =>
      'done' in phase ? { ...phase, total: null } : phase,
    );
    await set({ snapshot: sampleSnapshot({ seq: 3, phases }) });
    expect(await page.getByRole('progressbar').getAttribute('value')).toBeNull();
  });

  it('emits the pressed action; while offline the button emits nothing and says why', async () => {
    const pressed = page.evaluate(
      () =>
        new Promise((resolve) => {
          document.addEventListener('wcc-action', (event) => resolve((event as CustomEvent).detail), {
            once: true,
          });
        }),
    );
    await set({ connection: 'offline' });
    const cancel = page.getByRole('button', { name: 'Cancel' });
    expect(await cancel.getAttribute('title')).toBe('No connection to the server');
    expect(await cancel.getAttribute('aria-disabled')).toBe('true');
    await cancel.dispatchEvent('click');
    await set({ connection: 'online' });
    await page.getByRole('button', { name: 'Pause' }).click();
    expect(await pressed).toEqual({ id: sampleSnapshot().id, verb: 'pause' });
  });

  it('emits a change of state and keeps the focus in the row when its button disappears', async () => {
    const changed = page.evaluate(
      () =>
        new Promise((resolve) => {
          document.addEventListener('wcc-state', (event) => resolve((event as CustomEvent).detail), {
            once: true,
          });
        }),
    );
    await page.getByRole('button', { name: 'Cancel' }).focus();
    await set({ snapshot: sampleSnapshot({ seq: 4, state: 'cancelling' }) });
    expect(await changed).toEqual({ id: sampleSnapshot().id, from: 'running', to: 'cancelling' });
    const focused = await page.evaluate(
      () => document.querySelector('wcc-progress')?.shadowRoot?.activeElement?.className,
    );
    expect(focused).toContain('row');
  });

  it('shows Japanese texts', async () => {
    await set({ locale: 'ja', snapshot: sampleSnapshot({ seq: 5 }) });
    expect(await page.getByRole('button', { name: 'キャンセル' }).isVisible()).toBe(true);
  });

  it('causes no errors on the page', () => {
    expect(complaints).toEqual([]);
  });
});

describe('bundle size', () => {
  it('is at most 12 kB gzip with all dependencies', async () => {
    const output = await build({
      configFile: false,
      logLevel: 'error',
      // Minified as a page would; a library build keeps white space.
      build: {
        write: false,
        modulePreload: false,
        rollupOptions: { input: `${dist}element/define.js` },
        minify: 'oxc',
        target: 'es2023',
      },
    });
    const chunks = [output as Rollup.RollupOutput | Rollup.RollupOutput[]]
      .flat()
      .flatMap((each) => each.output);
    const code = chunks.map((chunk) => ('code' in chunk ? chunk.code : '')).join('');
    const gzipBytes = gzipSync(code).length;
    expect(gzipBytes).toBeGreaterThan(3000);
    expect(gzipBytes).toBeLessThanOrEqual(12_000);
  });
});

describe('without a DOM', () => {
  it('can be imported without an error', async () => {
    await expect(import('./define.ts')).resolves.toBeDefined();
  });
});
