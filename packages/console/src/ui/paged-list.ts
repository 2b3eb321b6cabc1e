import { Emitter } from './emitter.ts';

/** A part of a list, as the server answers it. */
export interface ListPart<Item> {
  items: readonly Item[];
  /** Where the next part begins; absent after the last. */
  next?: string | undefined;
}

/** A list that is asked for over HTTP, part by part. */
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

  /** Whether the server has told what is in it; what is held may be old nevertheless. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  get problem(): unknown {
    return this.#problem;
  }

  /** From its beginning; what is held stays until the answer is there. */
  async load(): Promise<void> {
    await this.#request(undefined);
  }

  /** The next part; asks again for the first one as long as that has failed. */
  async more(): Promise<void> {
    if (!this.#isBusy) await this.#request(this.#next);
  }

  async #request(cursor: string | undefined): Promise<void> {
    const asked = ++this.#asked;
    this.#isBusy = true;
    this.changed.emit();
    try {
      const { items, next } = await this.#fetch(cursor);
      // Somebody asked anew meanwhile: that answer counts.
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
