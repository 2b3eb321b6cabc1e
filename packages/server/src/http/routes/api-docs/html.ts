/** Trusted HTML; all other text is escaped. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Html | readonly Html[];

/** A template that escapes its values unless they are {@link Html}. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  const parts = strings.map(
    (text, index) => text + (index < values.length ? render(values[index] ?? '') : ''),
  );
  return new Html(parts.join(''));
}

function render(part: Part): string {
  if (part instanceof Html) return part.text;
  if (typeof part === 'string' || typeof part === 'number') return escape(String(part));
  return part.map(({ text }) => text).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** Prose: `code` between backticks, a line break for each new line. */
export function prose(text: string): Html {
  const pieces = text.split('`').map((piece, index) => {
    if (index % 2 === 1) return html`<code>${piece}</code>`;
    return new Html(escape(piece).replaceAll('\n', '<br>'));
  });
  return new Html(pieces.map((piece) => piece.text).join(''));
}
