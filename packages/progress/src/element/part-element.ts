/** Creates an element with a class and a part of the same name. */
export function partElement<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  part: string,
): HTMLElementTagNameMap[Tag] {
  const created = document.createElement(tag);
  created.className = part;
  created.setAttribute('part', part);
  return created;
}
