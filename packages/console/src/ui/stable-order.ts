export interface StableOrderOptions {
  /** Somebody's pointer or focus is on the list: nothing may move under it. */
  isHoveredOrFocused: boolean;
  /** Whether a row can still be shown. */
  exists: (id: string) => boolean;
}

/**
 * The order in which rows are shown. While the list is held, rows stay where they were and new ones come at
 * the end: a press on "Cancel" must not hit the row that slid under the pointer.
 */
export function stableOrder(
  shown: readonly string[],
  wanted: readonly string[],
  options: StableOrderOptions,
): string[] {
  if (!options.isHoveredOrFocused) return [...wanted];
  const kept = shown.filter((id) => options.exists(id));
  const isKept = new Set(kept);
  return [...kept, ...wanted.filter((id) => !isKept.has(id))];
}
