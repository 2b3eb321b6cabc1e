import { ApiError } from '@wcc/api';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { abortable } from '../../concurrency/abortable.ts';
import { isPublicAddress } from './addresses.ts';

/** Private addresses that an administrator has allowed. */
export type IsAllowed = (address: string) => boolean;

const refused = (message: string): ApiError => new ApiError('import_refused', { field: 'url', message });

/**
 * Parses the address of a request or of a redirect.
 * @throws ApiError `invalid_input`, `import_scheme`, `import_credentials`
 */
export function parseSource(text: string, base?: URL): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base) : null;
  if (url === null) {
    const hint = 'Enter the complete address, e.g. https://example.org/disk.qcow2';
    throw new ApiError('invalid_input', { field: 'url', message: 'This is not a valid address.', hint });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new ApiError('import_scheme', { field: 'url' });
  if (url.username !== '' || url.password !== '') throw new ApiError('import_credentials', { field: 'url' });
  url.hash = '';
  return url;
}

/** The IP address in a URL, without brackets; null for a name. The URL parser has normalised it. */
function literalOf({ hostname }: URL): string | null {
  const plain = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(plain) === 0 ? null : plain;
}

/** @throws ApiError `import_refused` for an IP address that is not allowed */
export function assertPublicAddress(url: URL, isAllowed: IsAllowed): void {
  const literal = literalOf(url);
  if (literal !== null && !mayAsk(literal, isAllowed)) throw notPublic();
}

export interface CheckedAddress {
  address: string;
  family: 4 | 6;
}

/**
 * Resolves the allowed addresses of a URL. The connection uses one of these, not a later answer for the name. The
 * system cannot abort a look-up, which may take minutes without a name server: this function only stops to wait for it.
 *
 * @throws ApiError `import_refused`, `import_failed` for an unknown name; the reason of `signal`
 */
export async function resolveChecked(
  url: URL,
  { isAllowed, signal }: { isAllowed: IsAllowed; signal: AbortSignal },
): Promise<CheckedAddress[]> {
  const literal = literalOf(url);
  if (literal !== null) {
    assertPublicAddress(url, isAllowed);
    return [{ address: literal, family: isIP(literal) === 6 ? 6 : 4 }];
  }
  const asked = lookup(url.hostname, { all: true }).catch((cause: unknown) => {
    const message = `The name ${url.hostname} cannot be resolved.`;
    throw new ApiError('import_failed', { message, cause });
  });
  const found = await abortable(asked, signal);
  const checked = found
    .filter(({ address }) => mayAsk(address, isAllowed))
    .map(({ address, family }) => ({ address, family: family === 6 ? (6 as const) : (4 as const) }));
  if (checked.length === 0) throw notPublic();
  return checked;
}

export function mayAsk(address: string, isAllowed: IsAllowed): boolean {
  return isPublicAddress(address) || isAllowed(address);
}

export function notPublic(): ApiError {
  return refused('The address belongs to a private network or to this host.');
}
