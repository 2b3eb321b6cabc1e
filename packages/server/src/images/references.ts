import { ApiError } from '@wcc/api';
import type { ImageId, ImageUser } from '@wcc/api';
import type { Principal } from '../access/principal.ts';
import { can } from '../access/rules.ts';
import { isOwn, readUnfinished } from '../operations/rows.ts';
import type { Store } from '../storage/store.ts';

/** What uses an image, and whose it is: not everybody who sees the image may know of it. */
export interface ImageReference extends ImageUser {
  owner: string | null;
  /** The image is a disk of that machine, and as private as the machine. @default false */
  isDisk?: boolean;
}

/** By the number of the image. */
export type ReferencesByImage = ReadonlyMap<ImageId, readonly ImageReference[]>;

/** One part of wcc that uses images, e.g. the machines. */
export type ReferenceSource = () => Promise<ReferencesByImage>;

/** The one place that knows what uses an image, and so stands in the way of its deletion. */
export interface ImageReferences {
  /** Another part of wcc answers for what it uses. */
  add(source: ReferenceSource): void;
  /** All images that are in use; one look for a whole list. */
  all(): Promise<ReferencesByImage>;
}

/** Those that this principal may know of: naming an operation or a machine of others would let it be snooped on. */
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

/** A disk of a machine holds what its guest wrote, and is named after it: who may not see the machine sees neither. */
export function isVisibleTo(principal: Principal, references: readonly ImageReference[] = []): boolean {
  return references.every(({ isDisk, owner }) => isDisk !== true || can(principal, 'vm.list', { owner }));
}

/**
 * @returns those of its users that the principal may know of
 * @throws ApiError `not_found` for what the principal may not see
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

/** Operations that have not ended and name an image as their `sourceId`. */
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
