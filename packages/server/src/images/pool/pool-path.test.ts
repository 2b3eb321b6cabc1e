import { afterAll, beforeAll, expect, it } from 'vitest';
import { admin, makePrincipal, startDomain } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';

let domain: DomainUnderTest;
beforeAll(async () => {
  domain = await startDomain();
});
afterAll(() => domain.close());

it('SL11: only administrators see where a pool is on the host', async () => {
  const pathFor = async (role: 'admin' | 'operator' | 'viewer'): Promise<string | null | undefined> =>
    (await domain.images.pools(makePrincipal('someone', role))).items[0]?.path;
  expect(await pathFor('admin')).toBe(domain.poolDir);
  expect(await pathFor('operator')).toBeNull();
  expect(await pathFor('viewer')).toBeNull();
  const limited = { ...admin, scope: 'publish' as const };
  await expect(domain.images.pools(limited)).rejects.toMatchObject({ code: 'forbidden' });
});
