/** First Strong Isolate and Pop Directional Isolate. */
const marks = /[\u2068\u2069]/g;

/** Marks a text of another program inside a line. {@link setIsolatedText} shows it as `<bdi>`. */
export function isolate(text: string): string {
  return text === '' ? '' : `\u2068${text.replaceAll(marks, '')}\u2069`;
}

/** Sets the text. Marked parts become `<bdi>`, so that their direction does not reorder the rest of the line. */
export function setIsolatedText(node: Node, text: string): void {
  const parts = text.split(marks);
  if (node.textContent === parts.join('')) return;
  const nodes = parts.map((part, index) => {
    if (index % 2 === 0) return document.createTextNode(part);
    const bdi = document.createElement('bdi');
    bdi.textContent = part;
    return bdi;
  });
  (node as Element).replaceChildren(...nodes.filter(({ textContent }) => textContent !== ''));
}
