import type { ChangePasswordRequest } from '@wcc/api';
import { ApiError } from '@wcc/api';
import { auditStatement } from '../storage/audit.ts';
import { StoreConflict } from '../storage/errors.ts';
import type { Store } from '../storage/store.ts';
import type { Passwords } from './passwords.ts';
import type { Attempts } from './attempts.ts';
import type { Principal } from './principal.ts';
import { audit } from './audit.ts';
import { auditName } from './principal.ts';

export interface PasswordChangeDeps {
  store: Store;
  passwords: Passwords;
  /** By user: guesses at the sign-in of the same name do not count here. */
  attempts: Attempts;
}

/** Guesses at the current password of one signed-in user. */
export const passwordChangesPerMinute = 15;

/**
 * Changes the principal's own password. All other sessions of the user end; this session and all tokens stay
 * valid.
 *
 * @throws ApiError `forbidden` for a token, `invalid_input` for a wrong current password, `rate_limited`
 */
export async function changePassword(
  { store, passwords, attempts }: PasswordChangeDeps,
  principal: Principal,
  { current, next }: ChangePasswordRequest,
): Promise<void> {
  const { userId, sessionKey, address } = principal;
  const what = 'password.change';
  const subject = `user:${userId}` as const;
  if (principal.kind !== 'session') {
    throw new ApiError('forbidden', { hint: 'Sign in with the password to change it.' });
  }
  const entry = { who: auditName(principal), address, what, subject };
  const refusal = attempts.take(userId);
  if (refusal !== null) {
    if (refusal.isFirst) await store.write([auditStatement({ ...entry, result: 'rate_limited' })]);
    throw new ApiError('rate_limited', { retryAfterS: refusal.retryAfterS });
  }
  const held = await store.db.selectFrom('users').selectAll().where('id', '=', userId).executeTakeFirst();
  if (!held || !(await passwords.verify(held.passwordHash, current, { isKnown: true }))) {
    await store.write([auditStatement({ ...entry, result: 'wrong_credentials' })]);
    throw new ApiError('invalid_input', { field: 'current', message: 'The current password is wrong.' });
  }
  const version = held.version + 1;
  const update = store.db
    .updateTable('users')
    .set({ passwordHash: await passwords.hash(next, { name: held.name, field: 'next' }), version })
    .where('id', '=', userId)
    .where('version', '=', held.version);
  const others = store.db
    .deleteFrom('sessions')
    .where('userId', '=', userId)
    .where('idHash', '<>', sessionKey);
  const own = store.db.updateTable('sessions').set({ version }).where('idHash', '=', sessionKey);
  try {
    await store.write([
      { query: update, expectRows: 1 },
      { query: others },
      { query: own, expectRows: 1 },
      audit(principal, what, subject),
    ]);
  } catch (cause) {
    const message = 'Another administrator has just changed this user.';
    throw cause instanceof StoreConflict ? new ApiError('invalid_state', { message, cause }) : cause;
  }
}
