import { Emitter } from '../ui/emitter.ts';
import type { Announcer } from './announcer.ts';

/** The error at the bottom of the page. It stays until it is closed or replaced. */
export class Notices {
  readonly changed: Emitter = new Emitter();
  readonly #announcer: Announcer;
  #text: string | null = null;

  constructor(announcer: Announcer) {
    this.#announcer = announcer;
  }

  get text(): string | null {
    return this.#text;
  }

  show(text: string): void {
    this.#text = text;
    this.#announcer.alert(text);
    this.changed.emit();
  }

  close(): void {
    this.#text = null;
    this.changed.emit();
  }
}
