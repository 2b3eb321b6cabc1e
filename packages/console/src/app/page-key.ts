import { readText, removeText, writeText } from '../ui/storage.ts';

const storageName = 'wcc.pageKey';

/**
 * The second secret of the session, in the storage of this origin, for all its tabs. The browser sends the cookie to
 * every port of the host; this key leaves the page only in a header to the own server.
 */
export class PageKey {
  /** Used if the browser denies storage: until the page closes. */
  #own: string | null = null;

  get value(): string | null {
    return readText(storageName) ?? this.#own;
  }

  /** @param key null: signed out */
  set(key: string | null): void {
    this.#own = key;
    if (key === null) removeText(storageName);
    else writeText(storageName, key);
  }

  /** Called when another tab has signed in or out. */
  onOtherTab(listener: () => void): void {
    addEventListener('storage', ({ key }) => {
      if (key !== null && key !== storageName) return;
      this.#own = null;
      listener();
    });
  }
}
