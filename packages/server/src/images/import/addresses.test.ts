import { describe, expect, it } from 'vitest';
import { isPublicAddress } from './addresses.ts';

describe('addresses of the public internet', () => {
  it.each(['1.1.1.1', '93.184.215.14', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00::1'])(
    '%s is public',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '2001:db8::1',
    '2001::1',
    '64:ff9b:1::1',
    'not an address',
    '',
  ])('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    '::ffff:0:127.0.0.1',
    '::ffff:0:1.1.1.1',
    '4000::1',
    '8000::1',
    '1::1',
    'fe00::1',
    '::2:7f00:1',
    '100::1',
    '5f00::1',
    '64:ff9b:2::1',
    '1fff:ffff::1',
  ])('SL5: %s is not public, because it is outside of 2000::/3', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it('an IPv6 address that embeds an IPv4 address is as public as that: mapped, NAT64, 6to4', () => {
    expect(isPublicAddress('::ffff:127.0.0.1')).toBe(false);
    expect(isPublicAddress('::ffff:7f00:1')).toBe(false);
    expect(isPublicAddress('::ffff:1.1.1.1')).toBe(true);
    expect(isPublicAddress('64:ff9b::10.0.0.1')).toBe(false);
    expect(isPublicAddress('64:ff9b::1.1.1.1')).toBe(true);
    expect(isPublicAddress('2002:7f00:1::')).toBe(false);
    expect(isPublicAddress('2002:c0a8:101::1')).toBe(false);
    expect(isPublicAddress('2002:101:101::1')).toBe(true);
  });
});
