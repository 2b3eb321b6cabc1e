import { describe, expect, it } from 'vitest';
import { createTrust } from './trust.ts';
import type { TrustOptions } from './trust.ts';

function asked(
  headers: Record<string, string>,
  isTls = false,
): { header: (name: string) => string | undefined; isTls: boolean } {
  return { header: (name) => headers[name], isTls };
}

const app = 'https://app.example.org';

describe('trust in the Host', () => {
  it.each([
    ['127.0.0.1:8080', {}, true],
    ['[::1]:8080', {}, true],
    ['192.168.1.9', {}, true],
    ['localhost:8080', {}, true],
    ['app.localhost', {}, true],
    ['backend:3000', {}, true],
    ['evil.example:8080', {}, false],
    ['app.example.org', {}, false],
    ['app.example.org', { origin: app }, true],
    ['APP.example.org', { origin: [app] }, true],
    ['app.example.org.evil.example', { origin: app }, false],
    ['inner.example.org', { origin: app, hosts: ['inner.example.org'] }, true],
    ['localhost.', {}, false],
    ['user@localhost', {}, false],
    ['localhost/x', {}, false],
    ['', {}, false],
  ] as [string, TrustOptions, boolean][])('%s with %j is %s', (host, options, isOwn) => {
    expect(createTrust(options).isOwnHost(asked({ host }))).toBe(isOwn);
  });

  it('needs a Host, and accepts any name over TLS of this process', () => {
    expect(createTrust({}).isOwnHost(asked({}))).toBe(false);
    expect(createTrust({}).isOwnHost(asked({ host: 'app.example.org' }, true))).toBe(true);
  });
});

describe('trust in the Origin', () => {
  const host = 'localhost:8080';
  it.each([
    [{ host, origin: 'http://localhost:8080' }, {}, true],
    [{ host, origin: 'https://localhost:8080' }, {}, true],
    [{ host: 'LOCALHOST:8080', origin: 'http://localhost:8080' }, {}, true],
    [{ host: 'localhost', origin: 'http://localhost' }, {}, true],
    [{ host: 'localhost:443', origin: 'https://localhost' }, {}, true],
    [{ host, origin: 'http://localhost:8081' }, {}, false],
    [{ host, origin: 'http://localhost:8080.evil.example' }, {}, false],
    [{ host, origin: 'http://LOCALHOST:8080' }, {}, false],
    [{ host, origin: 'http://localhost:8080/' }, {}, false],
    [{ host, origin: 'null' }, {}, false],
    [{ host, origin: '' }, {}, false],
    [{ host, origin: 'file://localhost:8080' }, {}, false],
    [{ host, origin: 'http://localhost:8080', 'sec-fetch-site': 'same-origin' }, {}, true],
    [{ host, origin: 'http://localhost:8080', 'sec-fetch-site': 'same-site' }, {}, false],
    [{ host, origin: 'http://localhost:8080', 'sec-fetch-site': 'cross-site' }, {}, false],
    [{ host: 'backend:3000', origin: app }, { origin: app }, true],
    [{ host: 'app.example.org', origin: app }, { origin: app }, true],
    [{ host: 'app.example.org', origin: 'http://app.example.org' }, { origin: app }, false],
    [{ host, authorization: 'Bearer t' }, {}, true],
    [{ host, authorization: 'Bearer t', cookie: 'a=b' }, {}, false],
    [{ host, authorization: 'Basic t' }, {}, false],
    [{ host }, {}, false],
  ] as [Record<string, string>, TrustOptions, boolean][])('%j with %j is %s', (headers, options, isOwn) => {
    expect(createTrust(options).isOwnOrigin(asked(headers))).toBe(isOwn);
  });

  it('requires https where the TLS ends in this process', () => {
    const headers = { host: 'app.example.org', origin: 'http://app.example.org' };
    expect(createTrust({}).isOwnOrigin(asked(headers, true))).toBe(false);
    expect(createTrust({}).isOwnOrigin(asked({ ...headers, origin: app }, true))).toBe(true);
  });

  it('accepts a reader without Origin unless a browser says that it is foreign', () => {
    const trust = createTrust({});
    expect(trust.isOwnReader(asked({ host }))).toBe(true);
    expect(trust.isOwnReader(asked({ host, 'sec-fetch-site': 'none' }))).toBe(true);
    expect(trust.isOwnReader(asked({ host, 'sec-fetch-site': 'cross-site' }))).toBe(false);
    expect(trust.isOwnReader(asked({ host, origin: 'http://evil.example' }))).toBe(false);
  });
});
