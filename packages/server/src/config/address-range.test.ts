import { expect, it } from 'vitest';
import { networkOf } from './address-range.ts';

it('SM9: counts an IPv4 address as one client, in each of its notations', () => {
  expect(networkOf('192.0.2.7')).toBe('192.0.2.7');
  expect(networkOf('::ffff:192.0.2.7')).toBe('192.0.2.7');
  expect(networkOf('::ffff:c000:207')).toBe('192.0.2.7');
  expect(networkOf('0:0:0:0:0:FFFF:192.0.2.7')).toBe('192.0.2.7');
});

it('SM9: counts a /64 of IPv6 as one client', () => {
  for (const address of [
    '2001:db8:1:2::',
    '2001:db8:1:2::1',
    '2001:DB8:1:2:ffff:ffff:ffff:ffff',
    '2001:0db8:0001:0002:0:0:0:5',
    '2001:db8:1:2::1%eth0',
  ])
    expect(networkOf(address)).toBe('2001:db8:1:2::/64');
  expect(networkOf('2001:db8:1:3::1')).toBe('2001:db8:1:3::/64');
  expect(networkOf('::1')).toBe('0:0:0:0::/64');
  expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
  expect(networkOf('2001:db8::1:2:3:4:5')).toBe('2001:db8:0:1::/64');
});
