/** Whether the pointer is on a list or the keyboard focus is in it. */
export function isHoveredOrFocused(list: Element | null): boolean {
  if (list === null) return false;
  if (list.matches(':hover')) return true;
  const root = list.getRootNode();
  const focused = root instanceof ShadowRoot ? root.activeElement : null;
  if (focused === null || !list.contains(focused)) return false;
  // The buttons of a row are in the row's own shadow root.
  const inner = focused.shadowRoot?.activeElement ?? focused;
  return inner.matches(':focus-visible');
}
