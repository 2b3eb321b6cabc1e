import type { Image, Pool } from '@wcc/api';
import type { ApiClient } from '@wcc/api/client';
import { Emitter } from './emitter.ts';

const PAGE_SIZE = 200;

/** The images and pools as last loaded, and whether that went well. */
export class ImagesState {
  readonly changed: Emitter = new Emitter();
  readonly #api: ApiClient;
  #images: readonly Image[] = [];
  #pools: readonly Pool[] = [];
  #problem: unknown = null;
  #isLoaded = false;
  #loading: Promise<void> | null = null;
  #isStale = false;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  get images(): readonly Image[] {
    return this.#images;
  }

  get pools(): readonly Pool[] {
    return this.#pools;
  }

  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Why the last load failed; `null` when it did not. */
  get problem(): unknown {
    return this.#problem;
  }

  hasImage(id: number | string): boolean {
    return this.#images.some((image) => image.id === id);
  }

  /** Loads anew. Calls during a load make one more after it, so that nobody sees an older list. */
  async load(): Promise<void> {
    if (this.#loading !== null) {
      this.#isStale = true;
      return this.#loading;
    }
    this.#loading = this.#loadOnce().finally(() => {
      this.#loading = null;
      this.changed.emit();
      if (!this.#isStale) return;
      this.#isStale = false;
      void this.load();
    });
    return this.#loading;
  }

  async #loadOnce(): Promise<void> {
    try {
      const [images, pools] = await Promise.all([this.#everyImage(), this.#api.pools()]);
      this.#images = images;
      this.#pools = pools.items;
      this.#isLoaded = true;
      this.#problem = null;
    } catch (error) {
      this.#problem = error;
    }
  }

  async #everyImage(): Promise<Image[]> {
    const images: Image[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#api.images({ limit: PAGE_SIZE, ...(cursor === undefined ? {} : { cursor }) });
      images.push(...page.items);
      cursor = page.next;
    } while (cursor !== undefined);
    return images;
  }
}
