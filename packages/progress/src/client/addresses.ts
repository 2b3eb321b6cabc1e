import { ClientError } from './errors.ts';

/** The addresses of a server. */
export interface Addresses {
  /** True for a relative address where no page is: a module that runs on a server for its first HTML. */
  isUnusable: boolean;
  /** Tickets and actions lie below it. */
  root: string;
  socket: string;
  events: string;
}

/** The host of an address that has none, where no page is. */
const noPage = 'page.invalid';

/**
 * @param url an absolute address, or one that is relative to the page
 * @param events address of the event streams; on a page it may be relative
 * @throws {ClientError} `bad_url` if it is not an address of a web server
 */
export function addressesOf(url: string, events?: string): Addresses {
  const page = globalThis.location as Location | undefined;
  try {
    const { href, host } = new URL(url, page?.href ?? `http://${noPage}`);
    const root = href.replace(/^ws/, 'http').replace(/\/$/, '');
    if (root.startsWith('http'))
      return {
        isUnusable: host === noPage,
        root,
        // Browsers before 2023 accept neither relative nor http addresses of a WebSocket.
        socket: href.replace(/^http/, 'ws'),
        events: events ?? `${root}/events`,
      };
  } catch {
    // Not an address at all.
  }
  throw new ClientError('bad_url', url);
}
