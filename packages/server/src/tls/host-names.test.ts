import type { NetworkInterfaceInfo } from 'node:os';
import { expect, it } from 'vitest';
import { namesOfHost } from './host-names.ts';

const info = (address: string, internal = false): NetworkInterfaceInfo =>
  ({ address, internal }) as NetworkInterfaceInfo;
const interfaces = {
  lo: [info('127.0.0.1', true), info('::1', true)],
  eth0: [info('2001:db8::5'), info('192.0.2.5'), info('fe80::1')],
  eth1: [info('169.254.1.1')],
};
const own = ['localhost', '127.0.0.1', '::1'];

it('names the addresses of the host first if its name has no domain', () => {
  const host = { host: '0.0.0.0', publicUrl: null, hostname: 'Lab-1', interfaces };
  expect(namesOfHost(host)).toEqual(['192.0.2.5', 'lab-1', 'lab-1.local', ...own]);
  expect(namesOfHost({ ...host, host: '::' })).toEqual([
    '192.0.2.5',
    '2001:db8::5',
    'lab-1',
    'lab-1.local',
    ...own,
  ]);
});

it('names the full name of the host and the public name before its addresses', () => {
  const host = { host: '0.0.0.0', publicUrl: null, hostname: 'lab.example.org', interfaces };
  expect(namesOfHost(host)).toEqual(['lab.example.org', '192.0.2.5', ...own]);
  expect(namesOfHost({ ...host, publicUrl: 'https://wcc.example.org:8443' })[0]).toBe('wcc.example.org');
});

it('names only the address that the server listens on', () => {
  const host = { host: '192.0.2.5', publicUrl: null, hostname: 'lab', interfaces };
  expect(namesOfHost(host)).toEqual(['192.0.2.5', 'lab', 'lab.local', ...own]);
});

it('leaves a host name out that a certificate cannot have', () => {
  const host = { host: '192.0.2.5', publicUrl: null, hostname: 'my lab,DNS:evil.example', interfaces };
  expect(namesOfHost(host)).toEqual(['192.0.2.5', ...own]);
});
