import { ProgressError } from '@wcc/progress';
import type { WatchIdentity } from '../gateway/options.ts';

/** Who sends a request. */
export interface ProgressUser {
  /** The same as the `owner` of the user's operations. */
  id: string;
  /** Names the session. A ticket and its socket must be of the same one. @default `id` */
  session?: string;
}

/** The principal of `serveProgress` and `eventStream`: a user, bound to the request that proved it. */
export interface Visitor<U extends ProgressUser, R> {
  /** The user as the host described it last: a check of an open connection replaces it, e.g. after a change of role. */
  readonly latest: { user: U };
  readonly identity: WatchIdentity;
  readonly request: R;
}

export type UserOf<U extends ProgressUser, R> = (
  request: R,
) => string | U | null | undefined | Promise<string | U | null | undefined>;

/** Whom to ask about a request, and for how long. */
export interface Asking<U extends ProgressUser, R> {
  userOf: UserOf<U, R>;
  deadlineMs: number;
}

/**
 * Asks the host who sends a request.
 *
 * @returns `null` if the host knows no user
 * @throws {ProgressError} `invalid_user` if the host returns anything else; `authentication_timeout`; what the host
 *   throws
 */
export async function identify<U extends ProgressUser, R>(
  { userOf, deadlineMs }: Asking<U, R>,
  request: R,
): Promise<Visitor<U, R> | null> {
  const answer: unknown = await beforeDeadline(deadlineMs, async () => await userOf(request));
  if (answer === null || answer === undefined) return null;
  const user = (typeof answer === 'string' ? { id: answer } : answer) as U;
  const { id, session = id } = user as Partial<ProgressUser>;
  if (!isName(id) || !isName(session)) throw new ProgressError('invalid_user', { detail: describe(answer) });
  return { latest: { user }, identity: { user: id, session, expiresAtMs: null }, request };
}

/** Whether a user sees an operation without `canWatch`. */
export function isOwner({ id }: ProgressUser, { owner }: { owner: string }): boolean {
  return owner === id;
}

export function isSame(
  one: Pick<WatchIdentity, 'user' | 'session'>,
  other: Pick<WatchIdentity, 'user' | 'session'>,
): boolean {
  return one.user === other.user && one.session === other.session;
}

/**
 * Whether the request of an open connection is still of the same user and session; then the visitor has the newest
 * description of the user. True if the host cannot say, or not before the deadline: it said yes before, and an outage
 * of its store must not end all connections.
 */
export async function isStill<U extends ProgressUser, R>(
  { identity, request, latest }: Visitor<U, R>,
  { report, ...asking }: Asking<U, R> & { report: (error: unknown) => void },
): Promise<boolean> {
  try {
    const now = await identify(asking, request);
    if (now === null || !isSame(now.identity, identity)) return false;
    latest.user = now.latest.user;
    return true;
  } catch (error) {
    report(error);
    return true;
  }
}

/** @throws {ProgressError} `authentication_timeout` */
async function beforeDeadline<T>(ms: number, ask: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new ProgressError('authentication_timeout')), ms);
  });
  try {
    return await Promise.race([ask(), deadline]);
  } finally {
    clearTimeout(timer);
  }
}

const isName = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Names the type only, because the value may be a secret. */
function describe(answer: unknown): string {
  if (typeof answer !== 'object' || answer === null) return `it returned a ${typeof answer}`;
  const { id, session } = answer as Partial<ProgressUser>;
  return isName(id)
    ? `"session" is a ${typeof session}`
    : `"id" is ${id === '' ? 'empty' : `a ${typeof id}`}`;
}
