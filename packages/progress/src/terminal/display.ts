import { hideCursor, showCursor } from './cursor.ts';
import { drawLine } from './draw-line.ts';
import type { TerminalLine } from './draw-line.ts';
import { sizeOf, writeTo } from './terminal-stream.ts';
import type { TerminalStream } from './terminal-stream.ts';
import { escapeTerminal, terminalFeatures, toAscii, widthOf } from './terminal-text.ts';
import type { Environment, TerminalFeatures } from './terminal-text.ts';

/** Options of {@link createDisplay}. */
export interface DisplayOptions {
  /** @default process.stderr */
  stream?: TerminalStream;
  /** `NO_COLOR`, `TERM` and the locale are read from it. @default process.env */
  env?: Environment;
  /** Where the output is not a terminal: the pause between two lines of the same key. @default 10000 */
  logEveryMs?: number;
}

/** Shows progress lines: redrawn in place on a terminal, otherwise a new line at each change of a key. */
export interface Display {
  /** Shows these lines in place of the ones before. */
  show(lines: readonly TerminalLine[]): void;
  /** Prints a line above the progress lines, for good. */
  print(text: string): void;
  /** Removes the progress lines and shows the cursor. `show` draws them again. */
  clear(): void;
}

/** Creates the display that fits the stream. */
export function createDisplay(options: DisplayOptions = {}): Display {
  const { stream = process.stderr, env = process.env, logEveryMs = 10_000 } = options;
  const features = terminalFeatures(stream, env);
  return features.canRedraw
    ? new RedrawnLines(stream, features)
    : new LogLines({ stream, features, logEveryMs });
}

const plain = (text: string, { hasUnicode }: TerminalFeatures): string =>
  hasUnicode ? escapeTerminal(text) : toAscii(escapeTerminal(text));

// oxlint-disable-next-line no-control-regex -- the purpose is to remove colours
const withoutColours = (text: string): string => text.replaceAll(/\u001b\[\d+m/g, '');

class RedrawnLines implements Display {
  readonly #stream: TerminalStream;
  readonly #features: TerminalFeatures;
  /** Width in columns of each drawn line; the cursor is at the end of the last one. */
  #drawn: number[] = [];

  constructor(stream: TerminalStream, features: TerminalFeatures) {
    this.#stream = stream;
    this.#features = features;
  }

  show(lines: readonly TerminalLine[]): void {
    if (lines.length === 0) return this.clear();
    // The last column stays free, because some terminals wrap when it is written.
    const size = sizeOf(this.#stream);
    const columns = Math.max(20, size.columns - 1);
    const rows = Math.max(2, size.rows - 1);
    const isCut = lines.length > rows;
    const shown = isCut ? lines.slice(0, rows - 1) : lines;
    const texts = shown.map((line) => drawLine(line, columns, this.#features));
    if (isCut) texts.push(plain(`… +${lines.length - shown.length}`, this.#features));
    hideCursor(this.#stream);
    const drawn = texts.map((text) => `${text}\u001b[K`).join('\n');
    writeTo(this.#stream, `${this.#toFirst()}${drawn}\u001b[J`);
    this.#drawn = texts.map((text) => widthOf(withoutColours(text)));
  }

  print(text: string): void {
    const shown = `${this.#toFirst()}${plain(text, this.#features)}\u001b[K\n\u001b[J`;
    this.#drawn = [];
    writeTo(this.#stream, shown);
  }

  clear(): void {
    if (this.#drawn.length > 0) writeTo(this.#stream, `${this.#toFirst()}\u001b[J`);
    this.#drawn = [];
    showCursor(this.#stream);
  }

  /** Moves to the start of the first line. A terminal that became narrower has wrapped the lines. */
  #toFirst(): string {
    const { columns } = sizeOf(this.#stream);
    const rows = this.#drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    return rows > 1 ? `\r\u001b[${rows - 1}A` : '\r';
  }
}

interface Logged {
  key: string;
  text: string;
  atMs: number;
}

interface LogOptions {
  stream: TerminalStream;
  features: TerminalFeatures;
  logEveryMs: number;
}

class LogLines implements Display {
  readonly #options: LogOptions;
  #last = new Map<string, Logged>();

  constructor(options: LogOptions) {
    this.#options = options;
  }

  show(lines: readonly TerminalLine[]): void {
    const { features, logEveryMs, stream } = this.#options;
    const next = new Map<string, Logged>();
    const atMs = performance.now();
    for (const { id, key, name, percent, parts } of lines) {
      const last = this.#last.get(id);
      const shown = [`${name}:`, percent, parts.filter((part) => part !== '').join(' · ')];
      const text = plain(shown.filter((part) => part !== '').join(' '), features);
      const isDue = last?.key !== key || atMs - last.atMs >= logEveryMs;
      const isNew = isDue && last?.text !== text;
      if (isNew) writeTo(stream, `${text}\n`);
      next.set(id, last === undefined || isNew ? { key, text, atMs } : { ...last, key });
    }
    this.#last = next;
  }

  print(text: string): void {
    const { stream, features } = this.#options;
    writeTo(stream, `${plain(text, features)}\n`);
  }

  clear(): void {
    // A log keeps its lines.
  }
}
