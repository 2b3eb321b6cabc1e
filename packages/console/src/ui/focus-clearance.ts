const gapPx = 8;

/** Whether the rectangles overlap by more than a rounding error. */
function isCovered(target: DOMRect, cover: DOMRect): boolean {
  return (
    target.bottom > cover.top + 1 &&
    target.top < cover.bottom - 1 &&
    target.right > cover.left + 1 &&
    target.left < cover.right - 1
  );
}

/**
 * Keeps the dock from covering the focused element (WCAG 2.4.11). Scrolls the page. If scrolling is not possible,
 * moves the dock to the other side until the focus moves.
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
