import type { ImageId, VmId } from '@wcc/api';
import { Emitter } from '../ui/emitter.ts';

export const pagePaths = {
  home: '/',
  vms: '/machines',
  createVm: '/machines/new',
  images: '/images',
  operations: '/operations',
  users: '/users',
  tokens: '/tokens',
  audit: '/audit',
  system: '/system',
  settings: '/settings',
  /** Page of a share link, for people without an account. */
  shared: '/shared',
  firstSignIn: '/first-sign-in',
} as const;

/** `image`, `vm` and `operation` are the pages of a single thing, whose id is in the path. */
export type PageName = keyof typeof pagePaths | 'image' | 'vm' | 'operation' | 'unknown';

const imagePath = /^\/images\/([1-9]\d{2,8})$/;
const operationPath = /^\/operations\/([a-z2-7]{26})$/;
const vmPath = /^\/machines\/(\d{1,9})$/;

/** Address of the page of one operation. */
export function operationPageOf(id: string): string {
  return `${pagePaths.operations}/${id}`;
}

/** Address of the page of one image. */
export function imagePageOf(id: ImageId): string {
  return `${pagePaths.images}/${id}`;
}

/** Address of the page of one machine. */
export function vmPageOf(id: VmId | string): string {
  return `${pagePaths.vms}/${id}`;
}

/** Query parameter of a machine's page that focuses the screen. */
export const openScreenParam = 'screen';

/** The current page, found in a list of paths. */
export class Router {
  readonly changed: Emitter = new Emitter();
  /** Secret of the one-time sign-in link that opened the page. Removed from the address bar. */
  readonly firstSignInSecret: string | null;
  /** Secret of the share link that opened the page. */
  readonly sharedSecret: string | null;

  /** Id of the image that the Images page scrolls to once. */
  #highlightId: number | string | null = null;

  constructor() {
    this.firstSignInSecret = readSecret(pagePaths.firstSignIn);
    this.sharedSecret = rememberInTab(readSecret(pagePaths.shared));
    addEventListener('popstate', () => this.changed.emit());
  }

  get page(): PageName {
    const path = pathOf(location);
    if (path === '' || path === '/index.html') return 'home';
    if (operationPath.test(path)) return 'operation';
    if (imagePath.test(path)) return 'image';
    if (vmPath.test(path)) return 'vm';
    const found = Object.entries(pagePaths).find(([, known]) => known === path);
    return found === undefined ? 'unknown' : (found[0] as PageName);
  }

  /** Id of the image whose page is shown; `null` on other pages. */
  get imageId(): number | null {
    const found = imagePath.exec(pathOf(location))?.[1];
    return found === undefined ? null : Number(found);
  }

  /** Id of the operation whose page is shown; `null` on other pages. */
  get operationId(): string | null {
    return operationPath.exec(pathOf(location))?.[1] ?? null;
  }

  /** Id of the machine whose page is shown; `null` on other pages. */
  get vmId(): number | null {
    const id = vmPath.exec(pathOf(location))?.[1];
    return id === undefined ? null : Number(id);
  }

  /** Query of the address with its question mark; empty when there is none. */
  get search(): string {
    return location.search;
  }

  /** @param path a path of the console, with or without a query */
  go(path: string): void {
    if (location.pathname + location.search !== path) history.pushState(null, '', path);
    this.changed.emit();
  }

  /** Changes the query without a history entry, for filters. */
  replaceSearch(search: string): void {
    if (location.search !== search) history.replaceState(null, '', location.pathname + search);
    this.changed.emit();
  }

  goToImage(id: number | string): void {
    this.#highlightId = id;
    this.go(pagePaths.images);
  }

  /** Goes to the result of an operation. @returns whether there is a page for it */
  goToResult({ kind, id }: { kind: string; id: number | string }): boolean {
    if (kind === 'image') this.goToImage(id);
    else if (kind === 'vm') this.go(vmPageOf(id));
    else return false;
    return true;
  }

  get highlightId(): number | string | null {
    return this.#highlightId;
  }

  clearHighlight(): void {
    this.#highlightId = null;
  }

  /** Click handler of links. Clicks that open a new tab are left to the browser. */
  readonly onLink = (event: MouseEvent): void => {
    const link = event.currentTarget;
    const isPlain =
      event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!isPlain || !(link instanceof HTMLAnchorElement)) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  };
}

function pathOf({ pathname }: Location): string {
  return pathname.replace(/\/+$/, '');
}

function readSecret(path: string): string | null {
  if (location.pathname !== path) return null;
  const secret = location.hash.slice(1);
  // Removes the secret at once, so that it does not stay in the history or on a shared screen.
  if (secret !== '') history.replaceState(null, '', location.pathname);
  return secret === '' ? null : secret;
}

const sharedKey = 'wcc.shared';

/** Keeps the secret in the tab, so that a reload shows the same operation. */
function rememberInTab(secret: string | null): string | null {
  if (location.pathname !== pagePaths.shared) return null;
  try {
    if (secret !== null) sessionStorage.setItem(sharedKey, secret);
    return secret ?? sessionStorage.getItem(sharedKey);
  } catch {
    // The browser denies storage. After a reload the link must be opened again.
    return secret;
  }
}
