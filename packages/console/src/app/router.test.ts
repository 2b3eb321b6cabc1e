import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Router } from './router.ts';

/** Shows `address` in a browser that keeps `stored` in its session storage. */
function open(address: string, stored: Record<string, string> = {}): { router: Router; shown: () => string } {
  const place = new URL(address, 'http://wcc.test');
  const replaceState = (_state: unknown, _title: string, path: string): void => {
    place.href = new URL(path, place.origin).href;
  };
  vi.stubGlobal('location', place);
  vi.stubGlobal('history', { replaceState, pushState: replaceState });
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => stored[key] ?? null,
    setItem: (key: string, value: string) => void (stored[key] = value),
  });
  return { router: new Router(), shown: () => place.pathname + place.search + place.hash };
}

const operationId = 'abcdefghijklmnopqrstuvwx23';

beforeEach(() => void vi.stubGlobal('addEventListener', () => undefined));
afterEach(() => void vi.unstubAllGlobals());

describe('page addresses of release 0.1.0', () => {
  it.each([
    ['/', 'home'],
    ['/index.html', 'home'],
    ['/machines', 'vms'],
    ['/machines/', 'vms'],
    ['/machines?image=100', 'vms'],
    ['/machines/new', 'createVm'],
    ['/machines/new?image=100', 'createVm'],
    ['/machines/100', 'vm'],
    ['/machines/100?screen', 'vm'],
    ['/images', 'images'],
    ['/images/100', 'image'],
    ['/operations', 'operations'],
    ['/operations?state=failed&subject=image:100', 'operations'],
    [`/operations/${operationId}`, 'operation'],
    ['/users', 'users'],
    ['/tokens', 'tokens'],
    ['/audit', 'audit'],
    ['/system', 'system'],
    ['/settings', 'settings'],
    ['/shared', 'shared'],
    ['/first-sign-in', 'firstSignIn'],
    ['/nowhere', 'unknown'],
  ])('%s shows the page "%s"', (address, page) => {
    expect(open(address).router.page).toBe(page);
  });

  it('the address of a page contains the id of its image, machine or operation', () => {
    expect(open('/images/123').router.imageId).toBe(123);
    expect(open('/machines/123?screen').router.vmId).toBe(123);
    expect(open(`/operations/${operationId}`).router.operationId).toBe(operationId);
    const { router } = open('/operations');
    expect([router.imageId, router.vmId, router.operationId]).toEqual([null, null, null]);
  });
});

describe('links with a secret', () => {
  it('a share link opens, hides its secret in the address bar, and survives a reload', () => {
    const stored = {};
    const { router, shown } = open('/shared#wccs_secret', stored);
    expect([router.page, router.sharedSecret, shown()]).toEqual(['shared', 'wccs_secret', '/shared']);
    expect(open('/shared', stored).router.sharedSecret).toBe('wccs_secret');
    expect(open('/images', stored).router.sharedSecret).toBeNull();
  });

  it('a first sign-in link opens and hides its secret in the address bar', () => {
    const { router, shown } = open('/first-sign-in#secret');
    expect([router.page, router.firstSignInSecret, shown()]).toEqual([
      'firstSignIn',
      'secret',
      '/first-sign-in',
    ]);
  });
});
