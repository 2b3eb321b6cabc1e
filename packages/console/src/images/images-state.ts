import type { Image, Pool } from '@wcc/api';
import type { ApiClient } from '@wcc/api/client';
import type { RefusalText } from '@wcc/api/content';
import { LoadedState } from '../ui/loaded-state.ts';

declare module '../app/signed-in-state.ts' {
  interface SignedInState {
    readonly images: ImagesState;
  }
}

const pageSize = 200;

/** All images and pools, as last loaded. */
export class ImagesState extends LoadedState {
  readonly #api: ApiClient;
  #images: readonly Image[] = [];
  #pools: readonly Pool[] = [];
  #refusalText: ((reason: string, locale: 'en' | 'ja') => RefusalText | null) | null = null;

  constructor(api: ApiClient) {
    super();
    this.#api = api;
  }

  get all(): readonly Image[] {
    return this.#images;
  }

  get pools(): readonly Pool[] {
    return this.#pools;
  }

  /** Why a file is refused for its content; null for other reasons. */
  refusalText(reason: string, locale: 'en' | 'ja'): RefusalText | null {
    return this.#refusalText?.(reason, locale) ?? null;
  }

  hasImage(id: number | string): boolean {
    return this.#images.some((image) => image.id === id);
  }

  protected override async fetch(): Promise<void> {
    const [images, pools] = await Promise.all([this.#everyImage(), this.#api.pools()]);
    if (images.some(({ state }) => state === 'refused')) await this.loadRefusalTexts();
    this.#images = images;
    this.#pools = pools.items;
  }

  /** Without them, the page shows the codes. */
  async loadRefusalTexts(): Promise<void> {
    const texts = await import('@wcc/api/content').catch(() => null);
    this.#refusalText = texts?.refusalText ?? this.#refusalText;
  }

  async #everyImage(): Promise<Image[]> {
    const images: Image[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#api.images({ limit: pageSize, ...(cursor === undefined ? {} : { cursor }) });
      images.push(...page.items);
      cursor = page.next;
    } while (cursor !== undefined);
    return images;
  }
}
