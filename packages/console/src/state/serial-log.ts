import { routes, serialEndHeader } from '@wcc/api';
import { Emitter } from './emitter.ts';
import { serialText } from './serial-text.ts';

export interface SerialLogOptions {
  id: number;
  fetch: (path: string) => Promise<Response>;
}

const FOLLOW_MS = 1000;
/** So many characters are kept of what was read. */
const MOST_CHARACTERS = 262_144;

/** What a machine wrote to its serial line: the end of it, and what comes after, as long as it is followed. */
export class SerialLog {
  readonly changed: Emitter = new Emitter();
  readonly #options: SerialLogOptions;
  #raw = '';
  #text = '';
  #end: number | null = null;
  #problem: unknown = null;
  #isBusy = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: SerialLogOptions) {
    this.#options = options;
  }

  get text(): string {
    return this.#text;
  }

  get isLoaded(): boolean {
    return this.#end !== null;
  }

  get problem(): unknown {
    return this.#problem;
  }

  get isFollowed(): boolean {
    return this.#timer !== undefined;
  }

  follow(): void {
    void this.#read();
    this.#timer ??= setInterval(() => {
      if (document.visibilityState === 'visible') void this.#read();
    }, FOLLOW_MS);
    this.changed.emit();
  }

  hold(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.changed.emit();
  }

  async #read(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      await this.#ask();
      this.#problem = null;
    } catch (error) {
      this.#problem = error;
    } finally {
      this.#isBusy = false;
      this.changed.emit();
    }
  }

  async #ask(): Promise<void> {
    const { id, fetch } = this.#options;
    const query = this.#end === null ? '' : `?from=${this.#end}`;
    const response = await fetch(routes.vmSerial(id) + query);
    if (!response.ok) throw new Error(await sayOf(response));
    const more = await response.text();
    const end = Number(response.headers.get(serialEndHeader) ?? Number.NaN);
    const isAnew = this.#end === null || !(end >= this.#end);
    this.#end = Number.isFinite(end) ? end : null;
    if (!isAnew && more === '') return;
    this.#raw = ((isAnew ? '' : this.#raw) + more).slice(-MOST_CHARACTERS);
    this.#text = serialText(this.#raw);
  }
}

/** The problem's own words, where the answer is one. */
async function sayOf(response: Response): Promise<string> {
  try {
    const { detail, title } = (await response.json()) as { detail?: string; title?: string };
    return detail ?? title ?? `${response.status}`;
  } catch {
    return `${response.status} ${response.statusText}`;
  }
}
