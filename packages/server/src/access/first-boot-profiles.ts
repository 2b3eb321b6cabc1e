import type { FirstBootProfile } from '@wcc/api';
import { firstBootProfile } from '@wcc/api';
import { audit } from './audit.ts';
import type { Principal } from './principal.ts';
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
  const { userId } = principal;
  const text = JSON.stringify(profile);
  const query = store.db
    .insertInto('firstBootProfiles')
    .values({ userId, profile: text })
    .onConflict((conflict) => conflict.column('userId').doUpdateSet({ profile: text }));
  await store.write([{ query }, audit(principal, 'profile.change', `user:${userId}`)]);
  return profile;
}
