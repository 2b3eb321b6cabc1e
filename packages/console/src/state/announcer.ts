import { Emitter } from './emitter.ts';

export interface AnnouncerOptions {
  /** Said instead of a burst, and when the page is looked at again. */
  summarise: (count: number) => string;
}

const SPACING_MS = 1000;
const BURST = 4;

/**
 * What screen readers are told, one text a second, through the two regions that stand in the page from its
 * first render. Silent while the page is hidden; then one summary.
 */
export class Announcer {
  readonly changed: Emitter = new Emitter();
  readonly #options: AnnouncerOptions;
  #waiting: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #status = '';
  #alert = '';

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    document.addEventListener('visibilitychange', () => this.#start());
  }

  /** Text of `role=status`. */
  get status(): string {
    return this.#status;
  }

  /** Text of `role=alert`. */
  get alertText(): string {
    return this.#alert;
  }

  say(text: string): void {
    this.#waiting.push(text);
    this.#start();
  }

  /** Interrupts: for failures of the user's own work only. */
  alert(text: string): void {
    this.#alert = text;
    this.changed.emit();
  }

  #start(): void {
    if (this.#timer === undefined && this.#waiting.length > 0) this.#next();
  }

  #next(): void {
    this.#timer = undefined;
    if (document.visibilityState === 'hidden' || this.#waiting.length === 0) return;
    const isBurst = this.#waiting.length >= BURST;
    this.#status = isBurst ? this.#options.summarise(this.#waiting.length) : (this.#waiting[0] ?? '');
    this.#waiting = isBurst ? [] : this.#waiting.slice(1);
    this.changed.emit();
    this.#timer = setTimeout(() => this.#next(), SPACING_MS);
  }
}
