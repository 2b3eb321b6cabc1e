import { ClientError } from './errors.ts';

/** Posts to an address. */
export type Post = (url: string, init?: RequestInit) => Promise<Response>;

/**
 * Requests a ticket of `serveProgress`.
 *
 * @returns a close code that ends the connection for good, if the user is not signed in or this page is refused
 */
export async function requestTicket(post: Post, url: string, signal: AbortSignal): Promise<string | number> {
  const response = await post(url, { signal });
  if (!response.ok) {
    // As the close codes of a socket: 4401, 4403.
    if (response.status < 404) return 4000 + response.status;
    throw new ClientError('ticket_failed', url);
  }
  return ((await response.json()) as { ticket: string }).ticket;
}

/** Posts an action. @throws {ClientError} with the code of the server */
export async function act(post: Post, url: string): Promise<void> {
  const response = await post(url);
  if (response.ok) return;
  const body = (await response.json().catch(() => ({}))) as { code?: string; hint?: string };
  throw new ClientError(body.code ?? 'action_failed', String(response.status), body);
}
