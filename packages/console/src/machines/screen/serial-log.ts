import { routes } from '@wcc/api';
import { Emitter } from '../../ui/emitter.ts';
import { serialText } from './serial-text.ts';

export interface SerialLogOptions {
  id: number;
  fetch: (path: string, signal: AbortSignal) => Promise<Response>;
}

const retryMs = 2000;
/** Maximum length of the kept text. */
const maxCharacters = 262_144;

/** The end of a machine's serial log, and new output in follow mode. */
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

  /** Reads the log again after it ended or the connection was lost, because the machine may start again. */
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

/** Message of a problem document, or the status. */
async function problemTextOf(response: Response): Promise<string> {
  try {
    const { detail, title } = (await response.json()) as { detail?: string; title?: string };
    return detail ?? title ?? `${response.status}`;
  } catch {
    return `${response.status} ${response.statusText}`;
  }
}
