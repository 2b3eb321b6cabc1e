import { CliError } from '../runtime/errors.ts';

/** `example.org:8400/x` → its origin; without a scheme, https, and http for this machine. */
export function serverOrigin(text: string): string {
  const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|\/|$)/.test(text);
  const full = /^[a-z]+:\/\//i.test(text) ? text : `${loopback ? 'http' : 'https'}://${text}`;
  const url = URL.canParse(full) ? new URL(full) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new CliError('usage', `"${text}" is not the address of a server.`, {
      hint: 'Give scheme, host and port, e.g. https://wcc.example.org',
    });
  }
  return url.origin;
}

/** True when whoever sits on the wire could read along. */
export function isReadable(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
