import { routes } from '@wcc/api';
import { Emitter } from '../../ui/emitter.ts';
import { serialText } from './serial-text.ts';

export interface SerialLogOptions {
  id: number;
  fetch: (path: string, signal: AbortSignal) => Promise<Response>;
}

const retryMs = 2000;
/** So many characters are kept of what was read. */
const maxCharacters = 262_144;

/** What a machine wrote to its serial line: the end of it, and what comes after, as long as it is followed. */
export class SerialLog {
  readonly changed: Emitter = new Emitter();
  readonly #options: SerialLogOptions;
  #raw = '';
  #text = '';
  #isLoaded = false;
  #problem: unknown = null;
  #abort: AbortController | null = null;

  constructor(options: SerialLogOptions) {
    this.#options = options;
  }

  get text(): string {
    return this.#text;
  }

  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  get problem(): unknown {
    return this.#problem;
  }

  get isFollowing(): boolean {
    return this.#abort !== null;
  }

  follow(): void {
    if (this.#abort !== null) return;
    this.#abort = new AbortController();
    void this.#run(this.#abort.signal);
    this.changed.emit();
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.changed.emit();
  }

  /** A log that ended, or was lost, is read anew: the machine may start again. */
  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#read(signal);
        this.#problem = null;
      } catch (error) {
        if (signal.aborted) return;
        this.#problem = error;
        this.changed.emit();
      }
      await pause(signal);
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const response = await this.#options.fetch(`${routes.vmSerial(this.#options.id)}?follow=true`, signal);
    if (!response.ok || response.body === null) throw new Error(await problemTextOf(response));
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    this.#raw = '';
    this.#take('');
    for (;;) {
      const { value, done } = await reader.read();
      if (done || signal.aborted) return;
      this.#take(value);
    }
  }

  #take(more: string): void {
    this.#raw = (this.#raw + more).slice(-maxCharacters);
    this.#text = serialText(this.#raw);
    this.#isLoaded = true;
    this.changed.emit();
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, retryMs);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** The problem's own words, where the answer is one. */
async function problemTextOf(response: Response): Promise<string> {
  try {
    const { detail, title } = (await response.json()) as { detail?: string; title?: string };
    return detail ?? title ?? `${response.status}`;
  } catch {
    return `${response.status} ${response.statusText}`;
  }
}
