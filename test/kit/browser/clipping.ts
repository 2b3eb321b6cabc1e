import type { Page } from 'playwright-core';

/** Lists elements that extend beyond the window's width. */
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
