import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleSnapshot } from '../testing/sample-snapshot.ts';
import { openElementPage } from './element-page.testkit.ts';
import type { ElementPage } from './element-page.testkit.ts';

const fromRoot = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

describe('the ready file element.min.js on a page without a bundler', () => {
  let opened: ElementPage;
  const requests: string[] = [];
  beforeAll(async () => {
    execFileSync(process.execPath, [fromRoot('scripts/bundle-element.mjs')]);
    opened = await openElementPage('<wcc-progress></wcc-progress>');
    opened.page.on('request', (request) => requests.push(new URL(request.url()).pathname));
  });
  afterAll(() => opened.close());

  it('defines the element and exports the client, with one request', async () => {
    const names = await opened.page.evaluate(`import('/element.min.js').then((page) => Object.keys(page))`);
    expect((names as string[]).toSorted()).toEqual([
      'ClientError',
      'WccProgressElement',
      'connect',
      'registerLocale',
    ]);
    await opened.set({ snapshot: sampleSnapshot() });
    expect(await opened.page.locator('.percent').innerText()).toBe('62.5 %');
    expect(requests).toEqual(['/element.min.js']);
  });

  it('takes a language from its own file', async () => {
    await opened.page.evaluate(
      `Promise.all([import('/element.min.js'), import('/element/locales/de.js')]).then(
        ([{ registerLocale }, { de }]) => registerLocale('de', de))`,
    );
    await opened.set({ locale: 'de-AT' });
    expect(await opened.page.locator('.percent').innerText()).toBe('62,5 %');
    expect(opened.complaints).toEqual([]);
  });

  it('has at most 16 kB gzip, and no code of the server', () => {
    const code = readFileSync(fromRoot('packages/progress/dist/element.min.js'), 'utf8');
    expect(gzipSync(code).length).toBeLessThanOrEqual(16_000);
    expect(code).not.toMatch(/createHub|node:/);
    expect(code).not.toMatch(/[\u3040-\u30ff]/);
  });
});
