const gapPx = 8;

/** What covers what: by more than the rounding of a pixel. */
function isCovered(target: DOMRect, cover: DOMRect): boolean {
  return (
    target.bottom > cover.top + 1 &&
    target.top < cover.bottom - 1 &&
    target.right > cover.left + 1 &&
    target.left < cover.right - 1
  );
}

/**
 * Nothing that is docked over the page may lie on what has the focus (WCAG 2.4.11): the page scrolls until it
 * is clear; where it cannot, the dock goes to the other side until the focus is elsewhere.
 */
export function keepClear(focused: Element, dock: HTMLElement): void {
  dock.classList.remove('aside');
  if (dock.contains(focused) || focused.contains(dock)) return;
  const covers = (): DOMRect | undefined => {
    const target = focused.getBoundingClientRect();
    return [...dock.children]
      .map((each) => each.getBoundingClientRect())
      .find((each) => isCovered(target, each));
  };
  const cover = covers();
  if (cover === undefined) return;
  scrollBy({ top: focused.getBoundingClientRect().bottom - cover.top + gapPx, behavior: 'instant' });
  dock.classList.toggle('aside', covers() !== undefined);
}
