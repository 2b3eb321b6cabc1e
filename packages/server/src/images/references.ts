import { ApiError } from '@wcc/api';
import type { ImageUser } from '@wcc/api';
import type { Principal } from '../access/principal.ts';
import { can } from '../access/rules.ts';
import { isOwn, readUnfinished } from '../operations/rows.ts';
import type { Store } from '../storage/store.ts';

/** What uses an image, and whose it is: not everybody who sees the image may know of it. */
export interface OwnedUser extends ImageUser {
  owner: string | null;
  /** The image is a disk of that machine, and as private as the machine. @default false */
  isDisk?: boolean;
}

/** By the number of the image. */
export type UsersByImage = ReadonlyMap<number, readonly OwnedUser[]>;

/** One part of wcc that uses images, e.g. the machines. */
export type UserSource = () => Promise<UsersByImage>;

/** The one place that knows what uses an image, and so stands in the way of its deletion. */
export interface ImageUsers {
  /** Another part of wcc answers for what it uses. */
  add(source: UserSource): void;
  /** All images that are in use; one look for a whole list. */
  all(): Promise<UsersByImage>;
}

/** Those that this principal may know of: naming an operation or a machine of others would let it be snooped on. */
export function usersSeenBy(principal: Principal, users: readonly OwnedUser[] = []): ImageUser[] {
  const isSeen = ({ kind, id, owner }: OwnedUser): boolean => {
    if (kind === 'operation') return can(principal, 'operation.watch', { owner, operationId: String(id) });
    return kind === 'image' || can(principal, 'vm.list', { owner });
  };
  return users.filter(isSeen).map(({ kind, id, name }) => ({ kind, id, name }));
}

/** A disk of a machine holds what its guest wrote, and is named after it: who may not see the machine sees neither. */
export function isSeenBy(principal: Principal, users: readonly OwnedUser[] = []): boolean {
  return users.every(({ isDisk, owner }) => isDisk !== true || can(principal, 'vm.list', { owner }));
}

/**
 * @returns those of its users that the principal may know of
 * @throws ApiError `not_found` for what the principal may not see
 */
export async function assertImageVisible(
  { users }: { users: ImageUsers },
  principal: Principal,
  id: number,
): Promise<ImageUser[]> {
  const all = (await users.all()).get(id);
  if (!isSeenBy(principal, all)) throw new ApiError('not_found');
  return usersSeenBy(principal, all);
}

export function createImageUsers(store: Store): ImageUsers {
  const sources: UserSource[] = [() => operationsOnImages(store)];
  return {
    add: (source) => void sources.push(source),
    async all() {
      const users = new Map<number, OwnedUser[]>();
      for (const found of await Promise.all(sources.map((source) => source())))
        for (const [id, some] of found) users.set(id, [...(users.get(id) ?? []), ...some]);
      return users;
    },
  };
}

/** Operations that have not ended and name an image as their `sourceId`. */
async function operationsOnImages(store: Store): Promise<UsersByImage> {
  const users = new Map<number, OwnedUser[]>();
  for (const { id, input, record } of (await readUnfinished(store)).filter(isOwn)) {
    const { sourceId } = input;
    if (typeof sourceId !== 'number') continue;
    const user: OwnedUser = { kind: 'operation', id, name: record.label, owner: record.owner };
    users.set(sourceId, [...(users.get(sourceId) ?? []), user]);
  }
  return users;
}
