import { ApiError } from '@wcc/api';
import type { ImageId, ImageUser } from '@wcc/api';
import type { Principal } from '../access/principal.ts';
import { can } from '../access/rules.ts';
import { deleteAction } from './delete/input.ts';
import { readImageUses } from '../operations/rows.ts';
import type { Store } from '../storage/store.ts';

/** A user of an image, with its owner, because a principal may see an image but not its users. */
export interface ImageReference extends ImageUser {
  owner: string | null;
  /** The image is a disk of that machine and has its privacy. @default false */
  isDisk?: boolean;
}

/** The users of each image, by its id. */
export type ReferencesByImage = ReadonlyMap<ImageId, readonly ImageReference[]>;

/** A part of wcc that uses images, e.g. the machines. */
export type ReferenceSource = () => Promise<ReferencesByImage>;

/** The images that a part of wcc is deleting. */
export type DeletionSource = () => Promise<readonly ImageId[]>;

/** Rejects for an image whose newest data is in another file. */
export type CurrencyCheck = (id: ImageId) => Promise<void>;

/** Knows all users of images. An image with a user cannot be deleted. */
export interface ImageReferences {
  /** Adds another part of wcc that uses images. */
  add(source: ReferenceSource): void;
  /** The users of all images, read once for a whole list. */
  all(): Promise<ReferencesByImage>;
  /** Adds another part of wcc that deletes images. */
  addDeletions(source: DeletionSource): void;
  /** The images whose deletion was accepted and has not ended. */
  deletions(): Promise<ReadonlySet<ImageId>>;
  addCheck(check: CurrencyCheck): void;
  /** Call it before bytes of the image are read. @throws ApiError of the checks */
  assertCurrent(id: ImageId): Promise<void>;
}

/** What a principal may see of images and of their users. */
export interface VisibleImages {
  isSeen: (id: ImageId) => boolean;
  /** Operations, machines and private images of others stay private. */
  usersOf: (id: ImageId) => ImageUser[];
}

/**
 * The only rule of who sees an image. A disk is as private as its machine: it has the data of the guest and the name of
 * the machine. It stays private without the machine, and so do its copies, until its owner publishes it.
 */
export async function visibleImages(
  { store, references }: { store: Store; references: ImageReferences },
  principal: Principal,
): Promise<VisibleImages> {
  const [all, rows] = await Promise.all([
    references.all(),
    store.db.selectFrom('images').select(['id', 'owner']).where('private', '=', 1).execute(),
  ]);
  const owners = new Map(rows.map(({ id, owner }) => [id, owner]));
  const isSeen = (id: ImageId): boolean => {
    const owner = owners.get(id);
    if (owner !== undefined && !can(principal, 'vm.list', { owner })) return false;
    const users = all.get(id) ?? [];
    return users.every((user) => user.isDisk !== true || can(principal, 'vm.list', { owner: user.owner }));
  };
  const isSeenUser = ({ kind, id, owner }: ImageReference): boolean => {
    if (kind === 'operation') return can(principal, 'operation.watch', { owner, operationId: String(id) });
    return kind === 'image' ? isSeen(Number(id)) : can(principal, 'vm.list', { owner });
  };
  return {
    isSeen,
    usersOf: (image) =>
      (all.get(image) ?? []).filter(isSeenUser).map(({ kind, id, name }) => ({ kind, id, name })),
  };
}

/**
 * @returns the users of the image that the principal may see
 * @throws ApiError `not_found` for an image that the principal may not see
 */
export async function assertImageVisible(
  context: { store: Store; references: ImageReferences },
  principal: Principal,
  id: ImageId,
): Promise<ImageUser[]> {
  const { isSeen, usersOf } = await visibleImages(context, principal);
  if (!isSeen(id)) throw new ApiError('not_found');
  return usersOf(id);
}

export function createImageReferences(store: Store): ImageReferences {
  const sources: ReferenceSource[] = [() => operationsOnImages(store)];
  const deleting: DeletionSource[] = [() => deletedByOperations(store)];
  const checks: CurrencyCheck[] = [];
  return {
    addCheck: (check) => void checks.push(check),
    async assertCurrent(id) {
      for (const check of checks) await check(id);
    },
    addDeletions: (source) => void deleting.push(source),
    async deletions() {
      return new Set((await Promise.all(deleting.map((source) => source()))).flat());
    },
    add: (source) => void sources.push(source),
    async all() {
      const references = new Map<ImageId, ImageReference[]>();
      for (const found of await Promise.all(sources.map((source) => source())))
        for (const [id, some] of found) references.set(id, [...(references.get(id) ?? []), ...some]);
      return references;
    },
  };
}

async function deletedByOperations(store: Store): Promise<ImageId[]> {
  const uses = await readImageUses(store);
  return uses.filter(({ action }) => action === deleteAction).map(({ imageId }) => imageId);
}

/** Unfinished operations that use an image as their `sourceId`. */
async function operationsOnImages(store: Store): Promise<ReferencesByImage> {
  const references = new Map<ImageId, ImageReference[]>();
  for (const { id, label, ownerId, imageId } of await readImageUses(store)) {
    const user: ImageReference = { kind: 'operation', id, name: label, owner: ownerId };
    references.set(imageId, [...(references.get(imageId) ?? []), user]);
  }
  return references;
}
