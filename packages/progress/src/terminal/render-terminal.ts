import { ProgressError } from '../core/errors.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { isTerminal } from '../core/state-machine.ts';
import { createDisplay } from './display.ts';
import type { DisplayOptions } from './display.ts';
import { endText, operationLine } from './operation-line.ts';
import { readSource } from './source.ts';
import type { TerminalSource } from './source.ts';
import type { TerminalStream } from './terminal-stream.ts';

/** Options of {@link renderTerminal}. */
export interface TerminalOptions extends DisplayOptions {
  /** BCP 47 tag of the texts; see `registerLocale` of `@wcc/progress/text`. @default 'en' */
  locale?: string;
  /** Replaces the names of one operation, e.g. of a copy. @default its own title or subject */
  title?: string;
  /** Of a client: the user's own operations, or all that the user may watch. @default 'mine' */
  list?: 'mine' | 'all';
}

/** Bars on a terminal. */
export interface TerminalView {
  /**
   * Resolves when the source has ended and its last line is printed; a hub and a client end with `close`. Rejects with
   * the error of the source.
   */
  readonly finished: Promise<void>;
  /** Prints a line above the bars. */
  print(text: string): void;
  /** Removes the bars and stops reading the source. The work continues. */
  close(): void;
  /** The same as `close`, for `using`. */
  [Symbol.dispose](): void;
}

const noSubject = { kind: '', id: null, name: '' };
const redrawMs = 100;
const durationMs = 1000;

/**
 * Shows the progress of operations on a terminal: a bar for each, with rate and time left, and one lasting line at its
 * end. Without a terminal it prints a line at each change of state or phase, and one every 10 s.
 *
 * It does not keep the process alive. `NO_COLOR` and `TERM=dumb` are respected, and the cursor is shown again when the
 * process ends. If the stream breaks, e.g. because the reader of a pipe has left, the output ends and the work continues.
 *
 * @throws {ProgressError} `invalid_option`
 * @example
 * const op = hub.start({ action: 'bake_bread', owner: 'ann', total: 40 });
 * const view = renderTerminal(op);
 * await view.finished;
 */
export function renderTerminal(source: TerminalSource, options: TerminalOptions = {}): TerminalView {
  assertSource(source);
  assertStream(options.stream);
  return new LiveView(source, options);
}

/** @throws {ProgressError} `invalid_option` */
function assertSource(source: unknown): void {
  const isObject = typeof source === 'object' && source !== null;
  const marks = [Symbol.asyncIterator, 'watchList', 'snapshot', 'onChange'];
  if (isObject && marks.some((mark) => mark in source)) return;
  const detail =
    'source: pass a hub, a client, the handle of an operation, a copy job, or snapshots to iterate over';
  throw new ProgressError('invalid_option', { detail });
}

/** @throws {ProgressError} `invalid_option` */
function assertStream(stream: Partial<TerminalStream> | null | undefined): void {
  if (stream === undefined || typeof stream?.write === 'function') return;
  throw new ProgressError('invalid_option', { detail: 'stream: it has no method write' });
}

interface Shown {
  snapshot: Snapshot;
  atMs: number;
}

class LiveView implements TerminalView {
  readonly finished: Promise<void>;
  readonly #options: TerminalOptions;
  readonly #display: ReturnType<typeof createDisplay>;
  readonly #operations = new Map<string, Shown>();
  readonly #timer: NodeJS.Timeout;
  #finish: (error?: unknown) => void = () => undefined;
  #stop: () => void = () => undefined;
  readonly #isList: boolean;
  readonly #locale: string;
  #isOnline = true;
  #isDirty = true;
  #isClosed = false;
  #drawnAtMs = Number.NEGATIVE_INFINITY;

  constructor(source: TerminalSource, options: TerminalOptions) {
    this.#options = options;
    this.#locale = options.locale ?? 'en';
    this.#isList = 'watchList' in source || 'onChange' in source;
    this.#display = createDisplay(options);
    this.finished = new Promise((resolve, reject) => {
      this.#finish = (error) => (error === undefined ? resolve() : reject(error));
    });
    // A caller that does not wait for the end handles the error of its source elsewhere.
    this.finished.catch(() => undefined);
    this.#timer = setInterval(() => this.#draw(), redrawMs).unref();
    this.#stop = readSource(source, options.list ?? 'mine', {
      onSnapshot: (snapshot) => this.#onSnapshot(snapshot),
      onGone: (id) => this.#remove(id),
      onConnection: (isOnline) => {
        this.#isOnline = isOnline;
        this.#isDirty = true;
      },
      onEnd: (error) => this.#end(error),
    });
    if (this.#isClosed) this.#stop();
    else this.#draw();
  }

  print(text: string): void {
    this.#display.print(text);
    this.#isDirty = true;
    if (!this.#isClosed) this.#draw();
  }

  close(): void {
    this.#end();
  }

  [Symbol.dispose](): void {
    this.#end();
  }

  #end(error?: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#stop();
    this.#display.clear();
    this.#finish(error);
  }

  #onSnapshot(given: Snapshot): void {
    if (this.#isClosed) return;
    const { title } = this.#options;
    const snapshot = title === undefined ? given : { ...given, title, subject: noSubject, target: null };
    this.#isDirty = true;
    if (!isTerminal(snapshot.state)) {
      this.#operations.set(snapshot.id, { snapshot, atMs: performance.now() });
      return;
    }
    // An operation of a list that had ended before was not shown, so it has no last line.
    const wasShown = this.#operations.delete(snapshot.id);
    if (wasShown || !this.#isList) this.print(endText(snapshot, this.#locale));
  }

  #draw(): void {
    const nowMs = performance.now();
    if (!this.#isDirty && nowMs - this.#drawnAtMs < durationMs) return;
    this.#isDirty = false;
    this.#drawnAtMs = nowMs;
    const connection = this.#isOnline ? 'online' : 'offline';
    const lines = [...this.#operations.values()].map(({ snapshot, atMs }) =>
      operationLine(snapshot, { locale: this.#locale, connection, sinceReceiptMs: nowMs - atMs }),
    );
    this.#display.show(lines);
  }

  #remove(id: string): void {
    this.#operations.delete(id);
    this.#isDirty = true;
  }
}
