import { CliError } from '../runtime/errors.ts';

/** The origin of a server address. Without a scheme it is https, or http for this host. @throws CliError `usage` */
export function serverOrigin(text: string): string {
  const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|\/|$)/.test(text);
  const full = /^[a-z]+:\/\//i.test(text) ? text : `${loopback ? 'http' : 'https'}://${text}`;
  const url = URL.canParse(full) ? new URL(full) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new CliError('usage', `"${text}" is not a valid server address.`, {
      hint: 'Use scheme, host and port, e.g. https://wcc.example.org',
    });
  }
  return url.origin;
}

/** True for plain http to another host, where others on the network can read the traffic. */
export function isUnencrypted(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
