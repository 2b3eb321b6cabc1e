export interface StableOrderOptions {
  /** The pointer or the focus is on the list, so rows must not move. */
  isHoveredOrFocused: boolean;
  /** Whether a row still exists. */
  exists: (id: string) => boolean;
}

/**
 * The order of rows. While the list is hovered or focused, rows keep their place and new ones are appended,
 * so that a click on "Cancel" cannot hit another row.
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
