import type { GrantLevel, Role, TokenScope } from '@wcc/api';
import { describe, expect, it } from 'vitest';
import type { Principal } from './principal.ts';
import type { Right, RightScope, Subject } from './rules.ts';
import { can, rules, scopeOf } from './rules.ts';

const principal = (role: Role, scope: TokenScope = 'write'): Principal => ({
  kind: 'session',
  userId: 'me',
  userName: 'me',
  role,
  sessionKey: 'key',
  sessionVersion: 1,
  scope,
  limitedTo: null,
  lentBy: null,
  expiresAtMs: null,
  address: '127.0.0.1',
  tokenName: null,
});
const rights = Object.keys(rules) as Right[];
const mine = { owner: 'me' };
const foreign = { owner: 'another-user' };
const nobodys = { owner: null };
const having = (who: Principal, subject?: Subject): Right[] =>
  rights.filter((right) => can(who, right, subject));

describe('rights', () => {
  it('SM12: an administrator has all rights on everything, but reports only own operations', () => {
    expect(having(principal('admin'), mine)).toEqual(rights);
    const others = rights.filter((right) => right !== 'operation.publish');
    for (const subject of [undefined, foreign, nobodys])
      expect(having(principal('admin'), subject)).toEqual(others);
  });

  it('SL3: the scope of a list agrees with the right on each thing, for every principal', () => {
    const seen = ({ all, ownerId, grantedTo }: RightScope, subject: Subject): boolean =>
      all ||
      (ownerId !== null && ownerId === subject.owner) ||
      (grantedTo === 'me' && subject.granted !== undefined);
    const subjects = [mine, foreign, nobodys, { ...foreign, granted: 'control' } as const];
    for (const role of ['admin', 'operator', 'viewer'] as const) {
      for (const scope of ['read', 'write', 'publish'] as const) {
        for (const right of rights) {
          for (const subject of subjects) {
            const who = principal(role, scope);
            const listed = seen(scopeOf(who, right), subject);
            expect([role, scope, right, subject, listed]).toEqual([
              role,
              scope,
              right,
              subject,
              can(who, right, subject),
            ]);
          }
        }
      }
    }
  });

  it('an operator creates, and watches and controls their own operations', () => {
    const general = [
      'pool.see',
      'pool.rescan',
      'image.list',
      'image.copy',
      'image.make',
      'image.upload',
      'host.see',
      'vm.make',
      'image.import',
      'image.convert',
      'image.verify',
      'image.download',
      'operation.list',
      'ticket.make',
    ];
    const own = [
      'vm.list',
      'vm.control',
      'vm.screen',
      'vm.serial',
      'vm.delete',
      'profile.see',
      'profile.change',
      'image.change',
      'image.delete',
      'upload.see',
      'upload.send',
      'operation.watch',
      'operation.control',
      'operation.publish',
      'operation.share',
      'token.see',
      'token.manage',
    ];
    for (const subject of [undefined, foreign, nobodys])
      expect(having(principal('operator'), subject)).toEqual(general);
    expect(having(principal('operator'), mine).toSorted()).toEqual([...general, ...own].toSorted());
  });

  it('a viewer cannot start or control anything, not even an own operation', () => {
    const general = ['pool.see', 'image.list', 'host.see', 'operation.list', 'ticket.make'];
    for (const subject of [undefined, foreign, nobodys])
      expect(having(principal('viewer'), subject)).toEqual(general);
    expect(having(principal('viewer'), mine).toSorted()).toEqual(
      [...general, 'profile.see', 'profile.change', 'token.see', 'token.manage'].toSorted(),
    );
  });

  it('a token with scope read cannot change anything, for any role', () => {
    const changing = rights.filter((right) => !rules[right].scopes.includes('read'));
    expect(changing.length).toBeGreaterThan(5);
    for (const role of ['admin', 'operator', 'viewer'] as const) {
      const held = having(principal(role, 'read'), mine);
      expect(held.filter((right) => changing.includes(right))).toEqual([]);
      expect(held).toContain('image.list');
    }
  });

  it('a token with scope publish can only report its own operations', () => {
    expect(having(principal('admin', 'publish'), mine)).toEqual(['operation.publish']);
    expect(having(principal('admin', 'publish'), foreign)).toEqual([]);
    expect(having(principal('operator', 'publish'), mine)).toEqual(['operation.publish']);
    expect(having(principal('operator', 'publish'), foreign)).toEqual([]);
    expect(having(principal('viewer', 'publish'), mine)).toEqual([]);
  });

  it('a grant gives the right to watch or control within the role', () => {
    const lent = (role: Role, granted: GrantLevel): Right[] =>
      having(principal(role), { ...foreign, granted }).filter((right) => right.startsWith('operation.'));
    expect(lent('operator', 'watch')).toEqual(['operation.list', 'operation.watch']);
    expect(lent('operator', 'control')).toEqual(['operation.list', 'operation.watch', 'operation.control']);
    expect(lent('viewer', 'watch')).toEqual(['operation.list', 'operation.watch']);
    expect(lent('viewer', 'control')).toEqual(['operation.list', 'operation.watch']);
  });

  it('a limited principal can only watch its operations and create tickets', () => {
    const limited = { ...principal('admin'), limitedTo: ['a'] };
    expect(having(limited, { ...mine, operationId: 'a' })).toEqual(['operation.watch', 'ticket.make']);
    expect(having(limited, { ...mine, operationId: 'b' })).toEqual(['ticket.make']);
    expect(having(limited, mine)).toEqual(['ticket.make']);
    const share: Principal = { ...principal('viewer', 'read'), kind: 'share', limitedTo: ['a'] };
    expect(having(share, { ...foreign, operationId: 'a' })).toEqual(['operation.watch', 'ticket.make']);
    expect(having(share, { ...foreign, operationId: 'b' })).toEqual(['ticket.make']);
  });
});
