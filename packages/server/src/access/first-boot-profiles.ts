import type { FirstBootProfile } from '@wcc/api';
import { firstBootProfile } from '@wcc/api';
import { whoIs } from './principal.ts';
import type { Principal } from './principal.ts';
import { auditStatement } from '../storage/audit.ts';
import type { Store } from '../storage/store.ts';

const empty: FirstBootProfile = { user: null, sshKeys: [] };

/** What a user wants of every machine at its first boot. */
export async function readProfile({ db }: Store, userId: string): Promise<FirstBootProfile> {
  const row = await db
    .selectFrom('firstBootProfiles')
    .select('profile')
    .where('userId', '=', userId)
    .executeTakeFirst();
  return row === undefined ? empty : firstBootProfile.parse(JSON.parse(row.profile));
}

export async function writeProfile(
  store: Store,
  principal: Principal,
  profile: FirstBootProfile,
): Promise<FirstBootProfile> {
  const { userId, address } = principal;
  const text = JSON.stringify(profile);
  const query = store.db
    .insertInto('firstBootProfiles')
    .values({ userId, profile: text })
    .onConflict((conflict) => conflict.column('userId').doUpdateSet({ profile: text }));
  const subject = `user:${userId}`;
  await store.write([
    { query },
    auditStatement({ who: whoIs(principal), address, what: 'profile.change', subject, result: 'ok' }),
  ]);
  return profile;
}
