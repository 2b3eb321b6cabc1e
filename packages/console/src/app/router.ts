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
  settings: '/settings',
  /** What a share link opens; for people who have no account here. */
  shared: '/shared',
  firstSignIn: '/first-sign-in',
} as const;

/** `image`, `machine`, `operation`: the page of one, whose id is in the path. */
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

/** In the address of a machine's page: the way there was taken for its screen. */
export const openScreenParam = 'screen';

/** Which page is shown. A plain list of paths is all the routing that this console needs. */
export class Router {
  readonly changed: Emitter = new Emitter();
  /** The secret of a one-time sign-in link, if the page was opened by one. Kept out of the address bar. */
  readonly firstSignInSecret: string | null;
  /** The secret of a share link, if the page was opened by one. */
  readonly sharedSecret: string | null;

  /** An image that the Images page shall bring into view once. */
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

  /** Number of the image whose page is shown; `null` on other pages. */
  get imageId(): number | null {
    const found = imagePath.exec(pathOf(location))?.[1];
    return found === undefined ? null : Number(found);
  }

  /** Id of the operation whose page is shown; `null` on other pages. */
  get operationId(): string | null {
    return operationPath.exec(pathOf(location))?.[1] ?? null;
  }

  /** Number of the machine whose page is shown; `null` on other pages. */
  get vmId(): number | null {
    const id = vmPath.exec(pathOf(location))?.[1];
    return id === undefined ? null : Number(id);
  }

  /** The part of the address after the question mark, with it; empty when there is none. */
  get search(): string {
    return location.search;
  }

  /** @param path an own path, with or without a query */
  go(path: string): void {
    if (location.pathname + location.search !== path) history.pushState(null, '', path);
    this.changed.emit();
  }

  /** Changes the query of this page without a step in the history: for filters while they are chosen. */
  replaceSearch(search: string): void {
    if (location.search !== search) history.replaceState(null, '', location.pathname + search);
    this.changed.emit();
  }

  goToImage(id: number | string): void {
    this.#highlightId = id;
    this.go(pagePaths.images);
  }

  /** Leads to what an operation made. @returns whether there is a page for such a thing */
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

  /** For links: a plain click stays in this page, a click for a new tab is the browser's. */
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
  // At once: neither the history nor a shared screen shall keep it.
  if (secret !== '') history.replaceState(null, '', location.pathname);
  return secret === '' ? null : secret;
}

const sharedKey = 'wcc.shared';

/** A reload shows the same: the tab remembers the link, and forgets it when it is closed. */
function rememberInTab(secret: string | null): string | null {
  if (location.pathname !== pagePaths.shared) return null;
  try {
    if (secret !== null) sessionStorage.setItem(sharedKey, secret);
    return secret ?? sessionStorage.getItem(sharedKey);
  } catch {
    // A browser that keeps nothing: the link has to be opened again.
    return secret;
  }
}
