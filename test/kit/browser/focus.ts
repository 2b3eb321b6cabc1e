import type { Page } from 'playwright-core';
import { until } from '../poll.ts';

/** The accessible name and the page region of the focused element, across shadow roots. */
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

/** Waits until an element with this accessible name has the focus. */
export async function expectFocusOn(page: Page, name: RegExp): Promise<void> {
  let seen = '';
  const hasFocus = async (): Promise<boolean> => name.test((seen = (await readFocus(page)).name));
  await until(hasFocus, { what: () => `the focus on ${name}; it is on “${seen.slice(0, 80)}”` });
}

/** More than the number of focusable elements of any page. */
const maxTabPresses = 60;

/** Presses Tab, then Shift+Tab, `steps` times each. @returns the distinct regions that had the focus */
export async function collectFocusRegions(page: Page, steps: number): Promise<string[]> {
  const regions = new Set<string>();
  for (const key of ['Tab', 'Shift+Tab'])
    for (let step = 0; step < steps; step += 1) {
      await page.keyboard.press(key);
      regions.add((await readFocus(page)).region);
    }
  return [...regions];
}

/** Presses Tab until an element with this accessible name has the focus. Waits for a page that still loads. */
export async function tabTo(page: Page, name: RegExp): Promise<void> {
  // Until the console has started, Tab finds nothing but the body of the document.
  await page.locator('h1').first().waitFor();
  const names: string[] = [];
  for (let step = 0; step < maxTabPresses; step += 1) {
    await page.keyboard.press('Tab');
    const now = await readFocus(page);
    names.push(now.name);
    if (name.test(now.name)) return;
  }
  throw new Error(`Tab does not reach ${name}; it reached ${names.join(' | ')}`);
}
