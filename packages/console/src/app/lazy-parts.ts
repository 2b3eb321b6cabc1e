import { Emitter } from '../ui/emitter.ts';

/** Parts that most visits do not need. Each is one `elements.ts`, loaded when it is first shown. */
export type LazyPart =
  | 'access'
  | 'create'
  | 'home'
  | 'images'
  | 'machines'
  | 'operations'
  | 'quickCreate'
  | 'row'
  | 'shared'
  | 'system'
  | 'uploads';

/** The loader of each part. `main.ts` defines the table. */
export type LazyLoaders = Readonly<Record<LazyPart, () => Promise<unknown>>>;

/** Loads the parts and knows which of them are loaded. */
export class LazyParts {
  /** A part was loaded, or failed to load. Elements that show a part render again. */
  readonly changed: Emitter = new Emitter();
  readonly #loaders: LazyLoaders;
  readonly #states = new Map<LazyPart, 'loading' | 'loaded' | 'failed'>();

  constructor(loaders: LazyLoaders) {
    this.#loaders = loaders;
  }

  /** State of a part. The first call starts to load it. */
  request(part: LazyPart): 'loading' | 'loaded' | 'failed' {
    const state = this.#states.get(part);
    if (state !== undefined) return state;
    void this.load(part);
    return 'loading';
  }

  async load(part: LazyPart): Promise<void> {
    this.#states.set(part, 'loading');
    try {
      await this.#loaders[part]();
      this.#states.set(part, 'loaded');
    } catch {
      // The browser logs the reason. A server update removes the old file; a reload of the page fetches the new one.
      this.#states.set(part, 'failed');
    }
    this.changed.emit();
  }
}
