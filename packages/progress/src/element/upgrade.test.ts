import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleSnapshot } from '../testing/sample-snapshot.ts';
import { openElementPage } from './element-page.testkit.ts';
import type { ElementPage } from './element-page.testkit.ts';
import { WccProgressElement } from './progress-element.ts';

describe('properties set before <wcc-progress> is defined', () => {
  let opened: ElementPage;
  beforeAll(async () => {
    opened = await openElementPage('<wcc-progress></wcc-progress>');
  });
  afterAll(() => opened.close());

  const settable = Object.entries(Object.getOwnPropertyDescriptors(WccProgressElement.prototype))
    .filter(([, descriptor]) => 'set' in descriptor)
    .map(([name]) => name);

  it('arrive at the setters, all of them, also for elements that are not on the page yet', async () => {
    const values: Record<string, unknown> = {
      snapshot: sampleSnapshot(),
      actions: { cancel: true },
      connection: 'offline',
      note: { status: 'Sent by this page', look: 'queued' },
      locale: 'de',
      compact: true,
      heading: 'Early heading',
      href: '/early',
    };
    expect(Object.keys(values).toSorted()).toEqual(settable.toSorted());
    const { page } = opened;
    await page.evaluate((early) => {
      const [onPage] = document.getElementsByTagName('wcc-progress');
      const detached = document.createElement('wcc-progress');
      for (const bar of [onPage!, detached]) Object.assign(bar, early, { ownField: 'of the page' });
      Object.assign(globalThis, { detached });
    }, values);
    // A text, because the test runner rewrites `import()` in functions.
    await page.evaluate(`import('/element/define.js').then(() => undefined)`);
    const read = await page.evaluate((names) => {
      const { detached } = globalThis as unknown as { detached: HTMLElement };
      document.body.append(detached);
      return [...document.getElementsByTagName('wcc-progress')].map((each) => {
        const bar = each as unknown as Record<string, unknown>;
        return {
          values: Object.fromEntries(names.map((name) => [name, bar[name]])),
          own: Object.keys(bar),
          shown: each.shadowRoot?.textContent ?? '',
        };
      });
    }, settable);
    expect(read.length).toBe(2);
    for (const bar of read) {
      expect(bar.values).toEqual(values);
      expect(bar.own).toEqual(['ownField']);
      expect(bar.shown).toContain('Early heading');
      expect(bar.shown).toContain('Sent by this page');
    }
  });

  it('do not hide later ones', async () => {
    await opened.set({ heading: 'Late heading', connection: 'online' });
    const title = opened.page.locator('wcc-progress').first().locator('.title');
    expect(await title.textContent()).toContain('Late heading');
    expect(opened.complaints).toEqual([]);
  });
});
