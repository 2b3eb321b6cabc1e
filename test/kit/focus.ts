import type { Page } from 'playwright-core';
import { until } from './poll.ts';

/** What has the focus, through every shadow root: its name as a person hears it, and where it stands. */
export async function readFocus(page: Page): Promise<{ name: string; region: string }> {
  return page.evaluate(() => {
    let element = document.activeElement;
    const path: Element[] = [];
    while (element !== null) {
      path.push(element);
      element = element.shadowRoot?.activeElement ?? null;
    }
    const last = path.at(-1);
    const region = path.map((each) => each.closest('header.top, main, .tray, dialog')).findLast(Boolean);
    const label = (last as HTMLInputElement | undefined)?.labels?.[0]?.textContent;
    const name = last?.getAttribute('aria-label') ?? label ?? last?.textContent ?? '';
    return {
      name: name.trim().replaceAll(/\s+/g, ' '),
      region: region?.className || (region?.localName ?? ''),
    };
  });
}

/** Waits until the focus is on what is called so. */
export async function expectFocusOn(page: Page, name: RegExp): Promise<void> {
  let seen = '';
  const hasFocus = async (): Promise<boolean> => name.test((seen = (await readFocus(page)).name));
  await until(hasFocus, { what: () => `the focus on ${name}; it is on “${seen.slice(0, 80)}”` });
}

const maxTabPresses = 60;

/** Regions that Tab, then Shift+Tab reach within this number of steps, each once. */
export async function collectFocusRegions(page: Page, steps: number): Promise<string[]> {
  const regions = new Set<string>();
  for (const key of ['Tab', 'Shift+Tab'])
    for (let step = 0; step < steps; step += 1) {
      await page.keyboard.press(key);
      regions.add((await readFocus(page)).region);
    }
  return [...regions];
}

/** Presses Tab until the focus is on what is called so. */
export async function tabTo(page: Page, name: RegExp): Promise<void> {
  const seen: string[] = [];
  for (let step = 0; step < maxTabPresses; step += 1) {
    await page.keyboard.press('Tab');
    const now = await readFocus(page);
    seen.push(now.name);
    if (name.test(now.name)) return;
  }
  throw new Error(`Tab does not come to ${name}; it came to ${seen.join(' | ')}`);
}

/** Elements that reach beyond the window, or text that is cut without a way to it. */
export async function findClippedElements(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > width)
      found.push(`page ${document.documentElement.scrollWidth}`);
    const inspect = (root: Document | ShadowRoot): void => {
      for (const element of root.querySelectorAll('*')) {
        if (element.shadowRoot !== null) inspect(element.shadowRoot);
        if (!element.matches('button, input, select, a[href], progress, h1, h2, p')) continue;
        const box = element.getBoundingClientRect();
        const isShown = box.width > 1 && box.height > 1 && element.checkVisibility();
        if (isShown && (box.right > width + 1 || box.left < -1))
          found.push(
            `${element.localName} “${element.textContent.trim().slice(0, 30)}” ${Math.round(box.right)}`,
          );
      }
    };
    inspect(document);
    return found;
  });
}
