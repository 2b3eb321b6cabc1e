import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { createClientAddress } from './client-address.ts';

const from = (peer: string, forwarded?: string): IncomingMessage =>
  ({
    socket: { remoteAddress: peer },
    headers: { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage;

it('the client address is the peer, unless the peer is a trusted proxy', () => {
  const address = createClientAddress([]);
  expect(address(from('192.0.2.1', '203.0.113.9'))).toBe('192.0.2.1');
  expect(address(from('::ffff:192.0.2.1'))).toBe('192.0.2.1');
});

it('the client address is the last hop that is not a trusted proxy', () => {
  const address = createClientAddress(['127.0.0.1', '10.0.0.0/8', '2001:db8::/32']);
  expect(address(from('127.0.0.1', '203.0.113.9'))).toBe('203.0.113.9');
  expect(address(from('::ffff:127.0.0.1', '203.0.113.9, 10.1.2.3'))).toBe('203.0.113.9');
  expect(address(from('2001:db8::1', '203.0.113.9'))).toBe('203.0.113.9');
  // The client's own entries are further left; the server ignores them.
  expect(address(from('127.0.0.1', '198.51.100.1, 203.0.113.9'))).toBe('203.0.113.9');
  expect(address(from('127.0.0.1'))).toBe('127.0.0.1');
  expect(address(from('127.0.0.1', ''))).toBe('127.0.0.1');
});

it('SM9: the client address is an address: without its port, and never another text', () => {
  const address = createClientAddress(['127.0.0.1']);
  expect(address(from('127.0.0.1', '198.51.100.9:40001'))).toBe('198.51.100.9');
  expect(address(from('127.0.0.1', '[2001:db8::1]:40001'))).toBe('2001:db8::1');
  expect(address(from('127.0.0.1', '[2001:db8::1]'))).toBe('2001:db8::1');
  expect(address(from('127.0.0.1', '::FFFF:c633:6409'))).toBe('198.51.100.9');
  for (const text of [
    '<b>x</b>',
    'a\tb',
    'unknown',
    '_hidden',
    '198.51.100.9:x',
    '198.51.100.999',
    '[1',
    '1.2.3.4, ',
    ']',
  ])
    expect([text, address(from('127.0.0.1', text))]).toEqual([text, '127.0.0.1']);
});
