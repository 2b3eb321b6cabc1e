import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import type { Rollup } from 'vite';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sampleSnapshot } from '../testing/sample-snapshot.ts';
import { openElementPage } from './element-page.testkit.ts';
import type { ElementPage } from './element-page.testkit.ts';

const dist = fileURLToPath(new URL('../../dist/', import.meta.url));

describe('<wcc-progress> in Chromium, under a strict CSP and Trusted Types', () => {
  let opened: ElementPage;
  let page: Page;
  const set = (properties: object): Promise<void> => opened.set(properties);

  beforeAll(async () => {
    opened = await openElementPage();
    page = opened.page;
    await page.waitForFunction(() => customElements.get('wcc-progress') !== undefined);
  });

  afterAll(() => opened.close());

  it('paints a running copy with a labelled bar and names as plain text', async () => {
    const subject = { kind: 'image', id: 100, name: '<img src=x onerror=alert(1)>' };
    await set({ snapshot: sampleSnapshot({ subject }), actions: { cancel: true, pause: true } });
    const bar = page.getByRole('progressbar', {
      name: 'Copy vm image <img src=x onerror=alert(1)> → web-07.raw',
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
          document.addEventListener('action', (event) => resolve((event as CustomEvent).detail), {
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
          document.addEventListener('statechange', (event) => resolve((event as CustomEvent).detail), {
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

  it('shows Japanese texts as soon as Japanese is registered', async () => {
    await set({ locale: 'ja', snapshot: sampleSnapshot({ seq: 5 }) });
    expect(await page.getByRole('button', { name: 'Cancel' }).isVisible()).toBe(true);
    await opened.registerLocales('ja');
    await page.getByRole('button', { name: 'キャンセル' }).waitFor();
    expect(await page.locator('article').getAttribute('lang')).toBe('ja');
  });

  it('offers Pause for any action whose actions have it, and the page’s own verbs with their labels', async () => {
    const snapshot = sampleSnapshot({ seq: 6, action: 'bake_bread' });
    await set({
      locale: 'en',
      snapshot,
      actions: { pause: true, archive: true, 'to-oven': 'Put in the oven' },
    });
    const labels = await page.getByRole('button').allInnerTexts();
    expect(labels).toEqual(['Archive', 'Put in the oven', 'Pause']);
    const pressed = page.evaluate(
      () =>
        new Promise((resolve) => {
          document.addEventListener('action', (event) => resolve((event as CustomEvent).detail), {
            once: true,
          });
        }),
    );
    await page.getByRole('button', { name: 'Put in the oven' }).click();
    expect(await pressed).toEqual({ id: snapshot.id, verb: 'to-oven' });
  });

  it('does not paint when equal actions are set with each snapshot', async () => {
    const paints = await page.evaluate(async () => {
      const bar = document.querySelector('wcc-progress') as HTMLElement & { actions: object };
      let count = 0;
      const observer = new MutationObserver(() => (count += 1));
      observer.observe(bar.shadowRoot!, { subtree: true, attributes: true, childList: true });
      for (let turn = 0; turn < 20; turn += 1) {
        bar.actions = { pause: true, archive: true, 'to-oven': 'Put in the oven' };
        await new Promise((resolve) => {
          setTimeout(resolve, 5);
        });
      }
      observer.disconnect();
      return count;
    });
    expect(paints).toBeLessThanOrEqual(1);
  });

  it('replaces all names by its heading', async () => {
    await set({ heading: 'Bread of today', href: '/bread' });
    expect((await page.locator('.title').innerText()).trim()).toBe('Bread of today');
    expect(await page.locator('wcc-progress').getAttribute('heading')).toBe('Bread of today');
    await set({ heading: '', href: '' });
    expect(await page.locator('.title').innerText()).toContain('debian-13.raw → web-07.raw');
  });

  it('stops motion and durations while paused, and shows that an operation is gone', async () => {
    await set({ connection: 'paused' });
    const bar = page.locator('article');
    const before = await bar.innerText();
    await new Promise((resolve) => {
      setTimeout(resolve, 1300);
    });
    expect(await bar.innerText()).toBe(before);
    expect(await bar.getAttribute('class')).toContain('still');
    await set({ connection: 'gone' });
    expect(await bar.innerText()).toContain('The server no longer knows this operation');
    await set({ connection: 'online' });
    expect(await bar.getAttribute('class')).toBe('row state-running');
  });

  it('refuses a value that is not a snapshot by name, keeps the last row and accepts an incomplete one', async () => {
    const result = await page.evaluate(() => {
      const bar = document.querySelector('wcc-progress') as HTMLElement & { snapshot: unknown };
      const codes = ['{}', 7, {}, { state: 'unheard' }].map((value) => {
        try {
          bar.snapshot = value;
          return 'accepted';
        } catch (error) {
          return (error as { code: string }).code;
        }
      });
      return { codes, isShown: (bar.snapshot as { action: string }).action };
    });
    expect(result).toEqual({ codes: Array(4).fill('invalid_snapshot'), isShown: 'bake_bread' });
    await set({ snapshot: { state: 'running' } });
    expect(await page.locator('.status').innerText()).toBe('Running');
    await set({ snapshot: { state: 'succeeded', action: 'bake_bread', elapsedMs: 2000 } });
    expect(await page.locator('.status').innerText()).toBe('Done in 2 s');
    await set({ snapshot: undefined });
    expect(await page.locator('article').isVisible()).toBe(false);
  });

  it('keeps its look when it moves to another window and back', async () => {
    await set({ snapshot: sampleSnapshot() });
    const heights = await page.evaluate(() => {
      const row = document.querySelector('wcc-progress') as HTMLElement;
      const frame = document.createElement('iframe');
      document.body.append(frame);
      const height = (): string => {
        const bar = row.shadowRoot?.querySelector('progress') as Element;
        return (row.ownerDocument.defaultView as Window).getComputedStyle(bar).height;
      };
      const seen = [height()];
      for (const body of [frame.contentDocument?.body, document.body]) {
        body?.append(row);
        seen.push(height());
      }
      frame.remove();
      return seen;
    });
    expect(heights).toEqual([heights[0], heights[0], heights[0]]);
    expect(heights[0]).not.toBe('16px');
  });

  it('causes no errors on the page', () => {
    expect(opened.complaints).toEqual([]);
  });
});

describe('bundle size', () => {
  it('is at most 10.5 kB gzip with all dependencies', async () => {
    vi.stubEnv('NODE_ENV', 'production');
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
    vi.unstubAllEnvs();
    const chunks = [output as Rollup.RollupOutput | Rollup.RollupOutput[]]
      .flat()
      .flatMap((each) => each.output);
    const code = chunks.map((chunk) => ('code' in chunk ? chunk.code : '')).join('');
    // The bundle contains the tag, the styles and the texts, but no second language.
    for (const part of ['wcc-progress', 'forced-colors', 'Start again']) expect(code).toContain(part);
    expect(code).not.toMatch(/[\u3040-\u30ff]/);
    const gzipBytes = gzipSync(code).length;
    expect(gzipBytes).toBeGreaterThan(3000);
    expect(gzipBytes).toBeLessThanOrEqual(10_500);
  });
});

describe('without a DOM', () => {
  it('can be imported without an error', async () => {
    await expect(import('./define.ts')).resolves.toBeDefined();
  });
});
