import type { FirstBootProfile, UserId } from '@wcc/api';
import { firstBootProfile } from '@wcc/api';
import { audit } from './audit.ts';
import type { Principal } from './principal.ts';
import { assertRight } from './rules.ts';
import type { Store } from '../storage/store.ts';

const empty: FirstBootProfile = { user: null, sshKeys: [] };

/** First-boot profiles: the login name and SSH keys that a user's new machines start with. One for each user. */
export interface FirstBootProfiles {
  /** The principal's own profile; empty before the first `change`. */
  read(principal: Principal): Promise<FirstBootProfile>;
  change(principal: Principal, profile: FirstBootProfile): Promise<FirstBootProfile>;
}

export function createFirstBootProfiles(store: Store): FirstBootProfiles {
  return {
    async read(principal) {
      assertRight(principal, 'profile.see', { owner: principal.userId });
      return readProfile(store, principal.userId);
    },
    async change(principal, profile) {
      assertRight(principal, 'profile.change', { owner: principal.userId });
      return writeProfile(store, principal, profile);
    },
  };
}

/** The profile of a user, without a check of rights. */
export async function readProfile({ db }: Store, userId: UserId): Promise<FirstBootProfile> {
  const row = await db
    .selectFrom('firstBootProfiles')
    .select('profile')
    .where('userId', '=', userId)
    .executeTakeFirst();
  return row === undefined ? empty : firstBootProfile.parse(JSON.parse(row.profile));
}

async function writeProfile(
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
