import { ApiError } from '@wcc/api';
import type { VmDiskInput, VmId } from '@wcc/api';
import { decideClone } from '../../images/copy/request.ts';
import { readSource } from '../../images/source.ts';
import type { Source } from '../../images/source.ts';
import type { Principal } from '../../access/principal.ts';
import { isNameTaken } from '../../images/names.ts';
import type { Pool } from '../../images/pool/pools.ts';
import type { WriteStatement } from '../../storage/store.ts';
import type { MachinesContext } from '../context.ts';
import { isDiskFormat } from '../record/plan.ts';
import type { DiskContent, DiskPlan, SourceImage } from '../record/plan.ts';

/** Space for the metadata of an empty file or of one with shared blocks. */
const metadataBytes = 1024 ** 2;

/** A requested disk. `thin` shares blocks with the image or is an overlay, never a full copy. */
export type RequestedDisk = Exclude<VmDiskInput, { kind: 'cdrom' }> | ThinDisk;
export interface ThinDisk {
  kind: 'thin';
  image: number;
  sizeBytes?: number | undefined;
}

/** A planned disk without number and name. */
export type DiskDraft = Omit<DiskPlan, 'position' | 'imageId' | 'name'>;

/**
 * Plans a disk. Creates no file.
 * @throws ApiError `not_found`, `image_unavailable`, `source_in_use`, `invalid_input`, `clone_unsupported`
 */
export async function draftDisk(
  context: MachinesContext,
  requested: RequestedDisk,
  { principal, pool, field }: { principal: Principal; pool: Pool; field: string },
): Promise<DiskDraft> {
  if (requested.kind === 'blank') {
    const { format, sizeBytes } = requested;
    const making: DiskContent = { kind: 'blank' };
    return { format, sizeBytes, grows: false, needsBytes: metadataBytes, baseId: null, making };
  }
  const source = await readSource(context.images, { id: requested.image, principal });
  const image = toSourceImage(source, field);
  const sizeBytes = sizeOf(source, { sizeBytes: requested.sizeBytes, field });
  const isGrown = sizeBytes > source.image.virtualSizeBytes;
  const whole = { format: image.format, sizeBytes, grows: isGrown, baseId: source.image.baseId };
  if (requested.kind === 'copy') {
    const clones = await decideClone(source, pool, requested.method);
    const needsBytes = clones ? metadataBytes : source.facts.dataBytes;
    return { ...whole, needsBytes, making: { kind: 'copy', source: image, method: requested.method } };
  }
  if (await decideClone(source, pool, 'auto')) {
    return {
      ...whole,
      needsBytes: metadataBytes,
      making: { kind: 'copy', source: image, method: 'clone' },
    };
  }
  await assertBaseUnused(context, image);
  const making: DiskContent = { kind: 'overlay', source: image };
  return {
    format: 'qcow2',
    sizeBytes,
    grows: false,
    needsBytes: metadataBytes,
    baseId: image.id,
    making,
  };
}

function toSourceImage({ image, format, pool }: Source, field: string): SourceImage {
  if (isDiskFormat(format)) return { id: image.id, poolId: pool.id, name: image.name, format };
  const message = 'An ISO cannot be a disk.';
  const hint = 'Insert it into the drive, and add a blank disk for the installation.';
  throw new ApiError('invalid_input', { field, message, hint });
}

function sizeOf(
  { image }: Source,
  { sizeBytes, field }: { sizeBytes: number | undefined; field: string },
): number {
  if (sizeBytes === undefined) return image.virtualSizeBytes;
  if (sizeBytes >= image.virtualSizeBytes) return sizeBytes;
  const message = `The image is larger: it has ${image.virtualSizeBytes} bytes.`;
  throw new ApiError('invalid_input', { field: `${field}.sizeBytes`, message });
}

/** A disk that a machine writes to cannot be the base of an overlay. */
async function assertBaseUnused({ store }: MachinesContext, { id }: SourceImage): Promise<void> {
  const user = await store.db
    .selectFrom('vmDisks')
    .innerJoin('vms', 'vms.id', 'vmDisks.vmId')
    .select('vms.name')
    .where('vmDisks.imageId', '=', id)
    .executeTakeFirst();
  if (user === undefined) return;
  const message = `The image is a disk of the machine "${user.name}".`;
  throw new ApiError('image_in_use', { field: 'image', message, hint: 'Request a full copy.' });
}

/** Assigns numbers and names to the disks of a machine, in order. */
export async function nameDisks(
  context: MachinesContext,
  drafts: readonly DiskDraft[],
  { vm, pool }: { vm: { id: VmId; name: string }; pool: Pool },
): Promise<{ disks: DiskPlan[]; statements: WriteStatement[] }> {
  const statements: WriteStatement[] = [];
  const disks: DiskPlan[] = [];
  for (const [position, draft] of drafts.entries()) {
    const { id: imageId, statement } = context.images.numbers.take();
    statements.push(statement);
    const name = await freeDiskName(context, { vm, pool, position, format: draft.format });
    disks.push({ ...draft, position, imageId, name });
  }
  return { disks, statements };
}

export interface DiskNaming {
  vm: { id: VmId; name: string };
  pool: Pool;
  position: number;
  format: 'raw' | 'qcow2';
}

/** `web-disk0.qcow2`, or `web-100-disk0.qcow2` when an earlier machine of this name left its disks. */
export async function freeDiskName(
  { store }: MachinesContext,
  { vm, pool, position, format }: DiskNaming,
): Promise<string> {
  const plain = `${vm.name}-disk${position}.${format}`;
  if (!(await isNameTaken(store, pool, plain))) return plain;
  return `${vm.name}-${vm.id}-disk${position}.${format}`;
}

/** @throws ApiError `invalid_input` when the image is not an ISO */
export async function assertIso(
  context: MachinesContext,
  { principal, image, field }: { principal: Principal; image: number; field: string },
): Promise<void> {
  const { format } = await readSource(context.images, { id: image, principal });
  if (format === 'iso') return;
  throw new ApiError('invalid_input', { field, message: 'Only an ISO can be inserted into the drive.' });
}
