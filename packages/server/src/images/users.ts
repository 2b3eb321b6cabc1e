import type { ImageUser } from '@wcc/api';
import { isOwn, readUnfinished } from '../operations/rows.ts';
import type { Store } from '../storage/store.ts';

/** By the number of the image. */
export type UsersByImage = ReadonlyMap<number, readonly ImageUser[]>;

/** One part of wcc that uses images, e.g. the machines. */
export type UserSource = () => Promise<UsersByImage>;

/** The one place that knows what uses an image, and so stands in the way of its deletion. */
export interface ImageUsers {
  /** Another part of wcc answers for what it uses. */
  add(source: UserSource): void;
  /** All images that are in use; one look for a whole list. */
  all(): Promise<UsersByImage>;
}

export function createImageUsers(store: Store): ImageUsers {
  const sources: UserSource[] = [() => operationsOnImages(store)];
  return {
    add: (source) => void sources.push(source),
    async all() {
      const users = new Map<number, ImageUser[]>();
      for (const found of await Promise.all(sources.map((source) => source())))
        for (const [id, some] of found) users.set(id, [...(users.get(id) ?? []), ...some]);
      return users;
    },
  };
}

/** Operations that have not ended and name an image as their `sourceId`. */
async function operationsOnImages(store: Store): Promise<UsersByImage> {
  const users = new Map<number, ImageUser[]>();
  for (const { id, input, record } of (await readUnfinished(store)).filter(isOwn)) {
    const { sourceId } = input;
    if (typeof sourceId !== 'number') continue;
    const user: ImageUser = { kind: 'operation', id, name: record.label };
    users.set(sourceId, [...(users.get(sourceId) ?? []), user]);
  }
  return users;
}
