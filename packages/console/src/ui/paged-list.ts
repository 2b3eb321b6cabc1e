import { Emitter } from './emitter.ts';

/** A part of a list, as the server answers it. */
export interface ListPart<Item> {
  items: readonly Item[];
  /** Where the next part begins; absent after the last. */
  next?: string | undefined;
}

/** A list that is loaded over HTTP, part by part. */
export class PagedList<Item> {
  readonly changed: Emitter = new Emitter();
  readonly #fetch: (cursor: string | undefined) => Promise<ListPart<Item>>;
  #items: readonly Item[] = [];
  #next: string | undefined;
  #asked = 0;
  #isBusy = false;
  #isLoaded = false;
  #problem: unknown = null;

  constructor(fetch: (cursor: string | undefined) => Promise<ListPart<Item>>) {
    this.#fetch = fetch;
  }

  get items(): readonly Item[] {
    return this.#items;
  }

  get hasMore(): boolean {
    return this.#next !== undefined;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Whether the list was loaded once. It may be out of date. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  get problem(): unknown {
    return this.#problem;
  }

  /** Loads the first part. The old items stay until it arrives. */
  async load(): Promise<void> {
    await this.#request(undefined);
  }

  /** Loads the next part, or the first one again after it failed. */
  async more(): Promise<void> {
    if (!this.#isBusy) await this.#request(this.#next);
  }

  async #request(cursor: string | undefined): Promise<void> {
    const asked = ++this.#asked;
    this.#isBusy = true;
    this.changed.emit();
    try {
      const { items, next } = await this.#fetch(cursor);
      // A newer request exists: its answer counts.
      if (asked !== this.#asked) return;
      this.#items = cursor === undefined ? items : [...this.#items, ...items];
      this.#next = next;
      this.#problem = null;
      this.#isLoaded = true;
    } catch (error) {
      if (asked !== this.#asked) return;
      this.#problem = error;
    }
    this.#isBusy = false;
    this.changed.emit();
  }
}
