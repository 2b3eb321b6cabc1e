import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleSnapshot } from '../testing/sample-snapshot.ts';
import { openElementPage } from './element-page.testkit.ts';
import type { ElementPage } from './element-page.testkit.ts';

/** Rows on a page of a right-to-left language, next to the same row on the other side. */
const body = `<script type="module" src="/element/define.js"></script>
<wcc-progress></wcc-progress><section dir="ltr"><wcc-progress></wcc-progress></section>`;
const hebrewName = 'דנה לוי';
const snapshot = sampleSnapshot({
  ownerName: hebrewName,
  action: 'bake_bread',
  error: { code: 'io_error', message: 'הדיסק נכשל.', hint: 'Check (it) now.', detail: null },
});

describe('a row on a right-to-left page', () => {
  let opened: ElementPage;
  let page: Page;
  beforeAll(async () => {
    opened = await openElementPage(body, 'lang="he" dir="rtl"');
    page = opened.page;
    await page.waitForFunction(() => customElements.get('wcc-progress') !== undefined);
  });
  afterAll(() => opened.close());

  const show = async (value: object, locale: string): Promise<void> => {
    await page.evaluate(
      async ([given, tag]) => {
        for (const bar of document.querySelectorAll('wcc-progress'))
          Object.assign(bar, { snapshot: given, locale: tag, actions: { pause: true } });
        await new Promise((resolve) => {
          setTimeout(resolve, 300);
        });
      },
      [value, locale] as const,
    );
  };

  /** Words of a part in the order in which a reader of left-to-right text sees them, line by line. */
  const seen = (part: string): Promise<string[]> =>
    page.evaluate((name) => {
      const root = document.querySelector('wcc-progress')!.shadowRoot!.querySelector(name)!;
      const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
      const words: { text: string; x: number; y: number }[] = [];
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        for (const match of (node.textContent ?? '').matchAll(/\S+/g)) {
          const range = document.createRange();
          range.setStart(node, match.index);
          range.setEnd(node, match.index + match[0].length);
          const { left, top } = range.getBoundingClientRect();
          words.push({ text: match[0], x: left, y: Math.round(top / 10) });
        }
      }
      return words.toSorted((a, b) => a.y - b.y || a.x - b.x).map(({ text }) => text);
    }, part);

  it('keeps English texts and numbers in their reading order, with names of the other direction', async () => {
    await show(snapshot, 'en');
    expect(await seen('.percent')).toEqual(['62.5', '%']);
    expect((await seen('.numbers')).join(' ')).toBe('1.5 of 2.4 GiB · 412 MiB/s · about 10 s left');
    expect((await seen('.title')).join(' ')).toBe('Bake bread debian-13.raw → web-07.raw');
    expect((await seen('.status')).join(' ')).toBe('2 of 4 · Transfer');
    // The Hebrew name reads from right to left inside its place.
    expect((await seen('.detail')).join(' ')).toBe(
      '37.6 GiB of empty space skipped · by לוי דנה · running for 4 s',
    );
    await show({ ...snapshot, state: 'failed' }, 'en');
    expect((await seen('.status')).join(' ')).toBe('Failed · נכשל. הדיסק');
    expect((await seen('.hint')).join(' ')).toBe('Check (it) now.');
    expect(await seen('.code')).toEqual(['io_error']);
  });

  it('aligns its texts with the page, and has the icon at the page’s start', async () => {
    await show(snapshot, 'en');
    const edges = await page.evaluate(() => {
      const root = document.querySelector('wcc-progress')!.shadowRoot!;
      const box = (name: string): DOMRect => root.querySelector(name)!.getBoundingClientRect();
      const range = document.createRange();
      range.selectNodeContents(root.querySelector('.numbers')!);
      const text = range.getBoundingClientRect();
      return { icon: box('.icon').left - box('.body').right, gap: box('.numbers').right - text.right };
    });
    expect(edges.icon).toBeGreaterThan(0);
    expect(edges.gap).toBeLessThan(1);
  });

  it('has the same picture of a text as on a left-to-right page', async () => {
    const clips = await page.evaluate(() => {
      const [rtl, ltr] = [...document.querySelectorAll('wcc-progress')].map((bar) => {
        const range = document.createRange();
        range.selectNodeContents(bar.shadowRoot!.querySelector('.numbers')!);
        return { bar, range };
      });
      // Glyphs have the same pixels only at the same fraction of a pixel.
      const fraction = (value: number): number => value - Math.floor(value);
      const wanted = rtl!.range.getBoundingClientRect();
      const given = ltr!.range.getBoundingClientRect();
      ltr!.bar.style.paddingLeft = `${1 + fraction(wanted.left) - fraction(given.left)}px`;
      ltr!.bar.style.paddingTop = `${1 + fraction(wanted.top) - fraction(given.top)}px`;
      return [rtl!, ltr!].map(({ range }) => {
        const { left, top, width, height } = range.getBoundingClientRect();
        return {
          x: Math.floor(left),
          y: Math.floor(top),
          width: Math.ceil(width) + 1,
          height: Math.floor(height),
        };
      });
    });
    const [rtl, ltr] = await Promise.all(clips.map((clip) => page.screenshot({ clip })));
    expect(rtl!.length).toBeGreaterThan(500);
    expect(rtl!.equals(ltr!)).toBe(true);
  });

  it('reads from right to left in a language that does', async () => {
    await page.evaluate(
      `import('/element/index.js').then(({ registerLocale }) => registerLocale('he', {
        dir: 'rtl',
        actions: { bake_bread: 'אפיית לחם' },
        left: () => 'נותרו כמה שניות',
        amount: (done, total) => done + ' מתוך ' + total,
      }))`,
    );
    await show(snapshot, 'he');
    const row = page.locator('wcc-progress').first();
    expect(await row.locator('.arrow').textContent()).toBe(' ← ');
    expect(await row.locator('article').getAttribute('lang')).toBe('he');
    expect((await seen('.title')).toReversed().join(' ')).toBe('אפיית לחם debian-13.raw ← web-07.raw');
    const numbers = (await seen('.numbers')).join(' ');
    expect(numbers).toMatch(/^שניות כמה נותרו · /);
    expect(numbers).toMatch(/מתוך 1\.5 GiB$|מתוך GiB 1\.5$/);
  });

  it('causes no errors on the page', () => {
    expect(opened.complaints).toEqual([]);
  });
});
