import { Emitter } from './emitter.ts';

export const pagePaths = {
  images: '/images',
  operations: '/operations',
  firstSignIn: '/first-sign-in',
} as const;

export type PageName = keyof typeof pagePaths | 'unknown';

/** Which page is shown. A plain list of paths is all the routing that this console needs. */
export class Router {
  readonly changed: Emitter = new Emitter();
  /** The secret of a one-time sign-in link, if the page was opened by one. Kept out of the address bar. */
  readonly firstSignInSecret: string | null;

  /** An image that the Images page shall bring into view once. */
  #sought: number | string | null = null;

  constructor() {
    this.firstSignInSecret = takeSecret();
    addEventListener('popstate', () => this.changed.emit());
  }

  get page(): PageName {
    const path = location.pathname.replace(/\/+$/, '');
    if (path === '' || path === '/index.html') return 'images';
    const found = Object.entries(pagePaths).find(([, known]) => known === path);
    return found === undefined ? 'unknown' : (found[0] as PageName);
  }

  go(path: string): void {
    if (location.pathname !== path) history.pushState(null, '', path);
    this.changed.emit();
  }

  goToImage(id: number | string): void {
    this.#sought = id;
    this.go(pagePaths.images);
  }

  get sought(): number | string | null {
    return this.#sought;
  }

  found(): void {
    this.#sought = null;
  }

  /** For links: a plain click stays in this page, a click for a new tab is the browser's. */
  readonly onLink = (event: MouseEvent): void => {
    const link = event.currentTarget;
    const isPlain =
      event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!isPlain || !(link instanceof HTMLAnchorElement)) return;
    event.preventDefault();
    this.go(link.pathname);
  };
}

function takeSecret(): string | null {
  if (location.pathname !== pagePaths.firstSignIn) return null;
  const secret = location.hash.slice(1);
  // At once: neither the history nor a shared screen shall keep it.
  if (secret !== '') history.replaceState(null, '', location.pathname);
  return secret === '' ? null : secret;
}
