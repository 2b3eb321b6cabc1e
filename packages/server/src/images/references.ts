import { ApiError } from '@wcc/api';
import type { ImageId, ImageUser } from '@wcc/api';
import type { Principal } from '../access/principal.ts';
import { can } from '../access/rules.ts';
import { isOwn, readUnfinished } from '../operations/rows.ts';
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

/** Knows all users of images. An image with a user cannot be deleted. */
export interface ImageReferences {
  /** Adds another part of wcc that uses images. */
  add(source: ReferenceSource): void;
  /** The users of all images, read once for a whole list. */
  all(): Promise<ReferencesByImage>;
}

/** The users that this principal may see; operations and machines of others stay private. */
export function visibleReferences(
  principal: Principal,
  references: readonly ImageReference[] = [],
): ImageUser[] {
  const isSeen = ({ kind, id, owner }: ImageReference): boolean => {
    if (kind === 'operation') return can(principal, 'operation.watch', { owner, operationId: String(id) });
    return kind === 'image' || can(principal, 'vm.list', { owner });
  };
  return references.filter(isSeen).map(({ kind, id, name }) => ({ kind, id, name }));
}

/** A disk is as private as its machine: it has the data of the guest and the name of the machine. */
export function isVisibleTo(principal: Principal, references: readonly ImageReference[] = []): boolean {
  return references.every(({ isDisk, owner }) => isDisk !== true || can(principal, 'vm.list', { owner }));
}

/**
 * @returns the users of the image that the principal may see
 * @throws ApiError `not_found` for an image that the principal may not see
 */
export async function assertImageVisible(
  { references }: { references: ImageReferences },
  principal: Principal,
  id: ImageId,
): Promise<ImageUser[]> {
  const all = (await references.all()).get(id);
  if (!isVisibleTo(principal, all)) throw new ApiError('not_found');
  return visibleReferences(principal, all);
}

export function createImageReferences(store: Store): ImageReferences {
  const sources: ReferenceSource[] = [() => operationsOnImages(store)];
  return {
    add: (source) => void sources.push(source),
    async all() {
      const references = new Map<ImageId, ImageReference[]>();
      for (const found of await Promise.all(sources.map((source) => source())))
        for (const [id, some] of found) references.set(id, [...(references.get(id) ?? []), ...some]);
      return references;
    },
  };
}

/** Unfinished operations that use an image as their `sourceId`. */
async function operationsOnImages(store: Store): Promise<ReferencesByImage> {
  const references = new Map<ImageId, ImageReference[]>();
  for (const { id, input, record } of (await readUnfinished(store)).filter(isOwn)) {
    const { sourceId } = input;
    if (typeof sourceId !== 'number') continue;
    const user: ImageReference = { kind: 'operation', id, name: record.label, owner: record.owner };
    references.set(sourceId, [...(references.get(sourceId) ?? []), user]);
  }
  return references;
}
