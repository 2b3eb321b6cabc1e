import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstBoot, hostNameOf, isHostName, machineName, machineNamePattern } from './index.ts';

describe('V10e: the host name of a machine', () => {
  it.each([
    ['web-01', 'web-01'],
    ['Web1', 'Web1'],
    ['db.example.org', 'db.example.org'],
    ['web_01', 'web-01'],
    ['web-', 'web'],
    ['web_', 'web'],
    ['a..b', 'a.b'],
    ['a.-b', 'a.b'],
    ['a-.b', 'a.b'],
    ['web-01.', 'web-01'],
    ['a._.b', 'a.b'],
    ['10.0.0.7', '10-0-0-7'],
    ['web.7', 'web-7'],
    ['10', 'vm-10'],
    ['0x7f', 'vm-0x7f'],
    ['7'.repeat(63), `vm-${'7'.repeat(60)}`],
    [`${'a'.repeat(62)}_`, 'a'.repeat(62)],
  ])('of %s is %s', (name, host) => {
    expect(machineName.safeParse(name).success).toBe(true);
    expect(hostNameOf(name)).toBe(host);
  });

  it('is a host name for every name of a machine, and the name itself where that is one', () => {
    fc.assert(
      fc.property(fc.stringMatching(machineNamePattern), (name) => {
        const host = hostNameOf(name);
        expect(isHostName(host), `${name} → ${host}`).toBe(true);
        for (const label of host.split('.')) expect(label).toMatch(/^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/);
        if (isHostName(name)) expect(host).toBe(name);
      }),
    );
  });

  it.each(['a..b', 'a.-b', 'a-.b', 'web_01', '-a', 'a-', '.a', 'a.', '10.0.0.7', '10', 'a'.repeat(64)])(
    'a request cannot choose %s',
    (hostname) => {
      expect(firstBoot.safeParse({ hostname }).error?.issues[0]).toMatchObject({ path: ['hostname'] });
    },
  );

  it.each(['web', 'Web-01', 'web.example.org', '3com.example', `${'a'.repeat(63)}.b`])(
    'a request can choose %s',
    (hostname) => {
      expect(firstBoot.parse({ hostname }).hostname).toBe(hostname);
    },
  );
});
