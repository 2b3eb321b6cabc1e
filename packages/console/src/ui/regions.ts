/** The regions of the page in the order of F6, with the element that gets the focus. */
const targets: readonly { region: string; target: string }[] = [
  { region: 'header.top', target: 'header.top a' },
  { region: 'main', target: 'main' },
  { region: '.tray', target: '.tray button' },
];

/** F6 focuses the next region of the page, Shift+F6 the previous one. */
export function onRegionKey(event: KeyboardEvent, root: ShadowRoot): void {
  if (event.key !== 'F6' || root.querySelector('dialog[open]') !== null) return;
  const there = targets.filter(({ target }) => root.querySelector(target) !== null);
  if (there.length < 2) return;
  event.preventDefault();
  const focused = root.activeElement;
  const current = there.findIndex(({ region }) => root.querySelector(region)?.contains(focused) === true);
  const step = event.shiftKey ? -1 : 1;
  // Without focus, F6 goes to the content.
  const from = current === -1 ? 0 : current;
  const next = there[(from + step + there.length) % there.length];
  root.querySelector<HTMLElement>(next?.target ?? 'main')?.focus();
}
