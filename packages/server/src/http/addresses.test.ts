import { describe, expect, it } from 'vitest';
import { createAddresses } from './addresses.ts';

const loopback = { host: '127.0.0.1', publicUrl: null, tls: null };

describe('addresses of a loopback server', () => {
  const addresses = createAddresses(loopback, 8400);

  it('accept the three loopback names with their port, and only their own origins', () => {
    for (const host of ['localhost:8400', '127.0.0.1:8400', '[::1]:8400']) {
      expect(addresses.isHost(host)).toBe(true);
      expect(addresses.isOrigin(`http://${host}`, host)).toBe(true);
    }
    expect(addresses.isOrigin('http://localhost:8400', '127.0.0.1:8400')).toBe(false);
  });

  it('refuse every other host and origin', () => {
    for (const host of [
      undefined,
      '',
      'localhost',
      'localhost:8401',
      'localhost:84000',
      'LOCALHOST:8400',
      'wcc.example.org',
    ]) {
      expect(addresses.isHost(host)).toBe(false);
    }
    for (const origin of [
      undefined,
      '',
      'null',
      'https://127.0.0.1:8400',
      'http://127.0.0.1:8400/',
      'http://127.0.0.1',
    ]) {
      expect(addresses.isOrigin(origin, '127.0.0.1:8400')).toBe(false);
    }
    expect(addresses.isOrigin('http://evil:8400', 'evil:8400')).toBe(false);
  });

  it('omit the default port of the scheme, as browsers do', () => {
    expect(createAddresses(loopback, 80).isHost('localhost')).toBe(true);
    expect(createAddresses(loopback, 80).isOrigin('http://localhost', 'localhost')).toBe(true);
  });
});

describe('addresses of a server behind a proxy', () => {
  const config = { host: '0.0.0.0', publicUrl: 'https://wcc.example.org', tls: null };
  const addresses = createAddresses(config, 8400);

  it('accept the public address, with its host or the host of the proxy', () => {
    expect(addresses.isHost('wcc.example.org')).toBe(true);
    expect(addresses.isOrigin('https://wcc.example.org', 'wcc.example.org')).toBe(true);
    expect(addresses.isOrigin('https://wcc.example.org', '127.0.0.1:8400')).toBe(true);
    expect(addresses.consoleUrl).toBe('https://wcc.example.org');
  });

  it('SM13: refuse the public host with another scheme or port', () => {
    for (const origin of [
      'http://wcc.example.org',
      'https://wcc.example.org:8400',
      'http://wcc.example.org:443',
      'http://wcc.example.org:8400',
    ]) {
      for (const host of ['wcc.example.org', '127.0.0.1:8400'])
        expect(addresses.isOrigin(origin, host)).toBe(false);
    }
  });

  it('SM13: accept only the public origin for a host that is also a name of this server', () => {
    const both = createAddresses({ ...config, host: 'localhost', publicUrl: 'https://localhost:8400' }, 8400);
    expect(both.isOrigin('https://localhost:8400', 'localhost:8400')).toBe(true);
    expect(both.isOrigin('http://localhost:8400', 'localhost:8400')).toBe(false);
    expect(both.isOrigin('http://127.0.0.1:8400', '127.0.0.1:8400')).toBe(true);
  });

  it('do not contain the wildcard address', () => {
    expect(addresses.isHost('0.0.0.0:8400')).toBe(false);
    expect(addresses.isOrigin('http://0.0.0.0:8400', '0.0.0.0:8400')).toBe(false);
  });
});

it('use the configured address for the console', () => {
  expect(createAddresses(loopback, 8400).consoleUrl).toBe('http://127.0.0.1:8400');
  expect(createAddresses({ ...loopback, host: '::1' }, 8400).consoleUrl).toBe('http://[::1]:8400');
  expect(createAddresses({ ...loopback, host: 'localhost' }, 80).consoleUrl).toBe('http://localhost');
});
