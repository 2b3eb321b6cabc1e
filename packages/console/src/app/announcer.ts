import { Emitter } from '../ui/emitter.ts';

export interface AnnouncerOptions {
  /** The summary of a burst, or of the changes while the page was hidden. `count` includes `failed`. */
  summarise: (count: number, failed: number) => string;
}

interface QueuedAnnouncement {
  text: string;
  isAlert: boolean;
}

const spacingMs = 1000;
const burst = 4;

/**
 * Queues announcements for screen readers: one per second, alerts first, through two live regions that exist
 * from the first render. Silent while the page is hidden; then announces one summary.
 */
export class Announcer {
  readonly changed: Emitter = new Emitter();
  readonly #options: AnnouncerOptions;
  #queue: QueuedAnnouncement[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wasHidden = false;
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
    this.#push({ text, isAlert: false });
  }

  /** Interrupts the screen reader. Only for failures of the user's own operations. */
  alert(text: string): void {
    this.#push({ text, isAlert: true });
  }

  #push(announcement: QueuedAnnouncement): void {
    this.#queue.push(announcement);
    this.#start();
  }

  #start(): void {
    if (document.visibilityState === 'hidden') this.#wasHidden = true;
    else if (this.#timer === undefined && this.#queue.length > 0) this.#next();
  }

  #next(): void {
    this.#timer = undefined;
    if (document.visibilityState === 'hidden' || this.#queue.length === 0) return;
    this.#announce(this.#takeNext());
    this.#timer = setTimeout(() => this.#next(), spacingMs);
  }

  #takeNext(): QueuedAnnouncement {
    const many = this.#wasHidden ? 2 : burst;
    this.#wasHidden = false;
    const failed = this.#queue.filter(({ isAlert }) => isAlert).length;
    // A single failure in a burst is announced in full; the rest is summarised after it.
    if (this.#queue.length >= many && (failed !== 1 || many === 2)) {
      const text = this.#options.summarise(this.#queue.length, failed);
      this.#queue = [];
      return { text, isAlert: failed > 0 };
    }
    const index = Math.max(
      0,
      this.#queue.findIndex(({ isAlert }) => isAlert),
    );
    const [next] = this.#queue.splice(index, 1);
    return next ?? { text: '', isAlert: false };
  }

  #announce({ text, isAlert }: QueuedAnnouncement): void {
    if (isAlert) this.#alert = distinct(this.#alert, text);
    else this.#status = distinct(this.#status, text);
    this.changed.emit();
  }
}

/** A live region announces only changes. A no-break space makes a repeated text a change. */
function distinct(before: string, text: string): string {
  return before === text ? `${text}\u00A0` : text;
}
