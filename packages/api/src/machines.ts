import { z } from 'zod';
import { vmAutostart, vmAutostartChange } from './machine-autostart.ts';
import { vmDifference } from './machine-differences.ts';
import { firstBoot } from './first-boot.ts';
import { copyMethod, imageFormat, imageId } from './images.ts';
import type { VmId } from './ids.ts';
import { machineNamePattern } from './names.ts';

export const vmId: z.ZodType<VmId, VmId> = z.number().int().min(100);

const mebibyte = 1_048_576;
const tebibyte = 1_099_511_627_776;

export const machineName = z
  .string()
  .regex(machineNamePattern, 'Use 1 to 63 of A-Z a-z 0-9 . _ - and start with a letter or digit.');

const cpus = z.number().int().min(1).max(255);
const memoryBytes = z
  .number()
  .int()
  .min(16 * mebibyte)
  .max(16 * tebibyte)
  .multipleOf(mebibyte, 'Use whole MiB.');
const diskSizeBytes = z
  .number()
  .int()
  .min(mebibyte)
  .max(64 * tebibyte)
  .multipleOf(512, 'Use a multiple of 512.');

/** `user`: outgoing connections through the host; `network`: of the hypervisor; `bridge`: of the host. */
export const networkKind = z.enum(['user', 'bridge', 'network', 'none']);
export const vmNetwork = z.strictObject({
  kind: networkKind,
  name: z.string().min(1).max(64).nullable().default(null).describe('of the bridge or network'),
});
export type VmNetwork = z.output<typeof vmNetwork>;

export const firmware = z.enum(['bios', 'uefi']);
export type Firmware = z.infer<typeof firmware>;

/**
 * The bus of the CD drives: of the drive for ISOs, and of the drive with first-boot data. `scsi` (virtio-scsi) is the
 * only one that kernels of cloud images have; `sata` is for guests without a virtio driver, such as Windows.
 */
export const cdBus = z.enum(['scsi', 'sata']);
export type CdBus = z.infer<typeof cdBus>;

/**
 * The server sets the default. A field that a schema adds to the body would change the hash of a request of 0.1.0, which
 * its idempotency key remembers.
 */
const newCdBus = cdBus.optional().describe('default: `scsi`; `sata` for guests without a virtio driver');

/** Boot devices in order. */
export const bootDevice = z.enum(['disk', 'cdrom', 'network']);
export const bootOrder = z
  .array(bootDevice)
  .min(1)
  .max(3)
  .refine((order) => new Set(order).size === order.length, 'Name each device once.');
export type BootDevice = z.infer<typeof bootDevice>;

/**
 * `making`: an operation creates, copies or deletes it; `suspended`: its guest sleeps; `saved`: off, its memory is in a file;
 * `unknown`: the hypervisor does not answer. `start` also resumes, wakes and restores.
 */
export const vmState = z.enum([
  'making',
  'running',
  'shut_off',
  'paused',
  'suspended',
  'saved',
  'crashed',
  'unknown',
]);
export type VmState = z.infer<typeof vmState>;

/** The reason of the state, if known. `message` and `hint` are English. */
export const vmStateReasonCode = z.enum([
  'deleting',
  /** paused by wcc, which resumes it when there is room */
  'emergency_floor',
  'guest_asleep',
  'guest_panic',
  'internal_error',
  'hypervisor_unavailable',
  'io_error',
  'no_answer',
  'no_space',
  'saved_state',
]);
export type VmStateReasonCode = z.infer<typeof vmStateReasonCode>;
export const vmStateReason = z.object({ code: vmStateReasonCode, message: z.string(), hint: z.string() });
export type VmStateReason = z.infer<typeof vmStateReason>;

export const vmDisk = z.object({
  index: z.number().int().min(0),
  image: imageId.nullable().describe('number of its image; null for a foreign machine'),
  name: z.string().describe('file name of the image'),
  format: imageFormat.nullable(),
  sizeBytes: z.number().describe('the size the guest sees'),
  base: imageId.nullable().describe('number of the base image of an overlay'),
});
export type VmDisk = z.infer<typeof vmDisk>;

/** Orders for a machine. */
export const vmVerb = z.enum(['start', 'shutdown', 'power-off', 'reset', 'discard-saved-state', 'adopt']);
export type VmVerb = z.infer<typeof vmVerb>;

/** What the caller may do with a machine now, by rights and state. */
export const vmMay = z.object({
  start: z.boolean(),
  shutdown: z.boolean(),
  powerOff: z.boolean(),
  reset: z.boolean(),
  discardSavedState: z.boolean(),
  adopt: z.boolean(),
  /** Change CPUs, memory, name, boot order and disks: while it is shut off and unchanged by other programs. */
  edit: z.boolean(),
  cdrom: z.boolean(),
  /** Change its autostart, also while it runs. */
  autostart: z.boolean(),
  copy: z.boolean(),
  delete: z.boolean(),
  screen: z.boolean(),
  /** Send keys and pointer to its screen. */
  input: z.boolean(),
  serial: z.boolean(),
});
export type VmMay = z.infer<typeof vmMay>;

export const vm = z.object({
  id: vmId.nullable().describe('short number from 100; null for a foreign machine'),
  name: z.string(),
  uuid: z.string(),
  state: vmState,
  stateReason: vmStateReason.nullable().describe('reason of the state, if known'),
  operation: z.string().nullable().describe('id of the operation that creates, copies or deletes it'),
  cpus: z.number(),
  memoryBytes: z.number(),
  disks: z.array(vmDisk),
  cdrom: z.object({ image: imageId, name: z.string() }).nullable().describe('null: the drive is empty'),
  cdBus: cdBus.nullable().describe('bus of its CD drives; null for a foreign machine'),
  network: z.object({ kind: networkKind, name: z.string().nullable() }),
  macAddress: z.string().nullable(),
  firmware,
  bootOrder: z.array(bootDevice),
  autostart: vmAutostart.nullable().describe('start after a boot of the host; null for a foreign machine'),
  owner: z.string().nullable(),
  ownerName: z.string().nullable(),
  foreign: z.boolean().describe('created by another program; wcc only shows it'),
  changedOutside: z
    .array(vmDifference)
    .describe(
      'what another program changed in the hypervisor; wcc changes nothing until it is adopted or undone',
    ),
  createdAt: z.iso.datetime().nullable(),
  may: vmMay,
});
export type Vm = z.infer<typeof vm>;

export const vmList = z.object({ items: z.array(vm) });
export type VmList = z.infer<typeof vmList>;

const blankDisk = z.strictObject({
  kind: z.literal('blank'),
  sizeBytes: diskSizeBytes,
  format: z.enum(['raw', 'qcow2']).default('qcow2'),
});
const copiedDisk = z.strictObject({
  kind: z.literal('copy'),
  image: imageId,
  method: copyMethod.default('auto'),
  sizeBytes: diskSizeBytes.optional().describe('grows the copy; at least the size of the image'),
});
const insertedDisc = z.strictObject({ kind: z.literal('cdrom'), image: imageId });

export const vmDiskRequest = z.discriminatedUnion('kind', [blankDisk, copiedDisk, insertedDisc]);
export type VmDiskRequest = z.input<typeof vmDiskRequest>;
export type VmDiskInput = z.output<typeof vmDiskRequest>;

/** Maximum number of disks of a machine, without its drive. */
export const maxDisks = 8;

export const createVmRequest = z
  .strictObject({
    name: machineName,
    cpus: cpus.default(2),
    memoryBytes: memoryBytes.default(2048 * mebibyte),
    disks: z.array(vmDiskRequest).max(maxDisks + 1),
    network: vmNetwork.default({ kind: 'user', name: null }),
    firmware: firmware.default('bios'),
    cdBus: newCdBus,
    bootOrder: bootOrder.optional().describe('default: the disk, then the drive'),
    firstBoot: firstBoot.optional(),
    pool: z.string().optional().describe('pool of its disks; default: the first pool'),
    start: z.boolean().default(true),
  })
  .refine(({ disks }) => disks.filter(({ kind }) => kind === 'cdrom').length <= 1, {
    message: 'a machine has one drive',
    path: ['disks'],
  })
  .refine(({ disks }) => disks.filter(({ kind }) => kind !== 'cdrom').length <= maxDisks, {
    message: `a machine has at most ${maxDisks} disks`,
    path: ['disks'],
  });
export type CreateVmRequest = z.input<typeof createVmRequest>;
export type CreateVmInput = z.output<typeof createVmRequest>;

/** Defaults: 2 CPUs, 2 GiB, network `user`, the first-boot profile of the user. */
export const quickCreateVmRequest = z.strictObject({
  image: imageId,
  name: machineName,
  sizeBytes: diskSizeBytes.optional().describe('grows the disk'),
  full: z.boolean().default(false).describe('a full copy instead of an overlay'),
  start: z.boolean().default(true),
  cpus: cpus.optional(),
  memoryBytes: memoryBytes.optional(),
  cdBus: newCdBus,
});
export type QuickCreateVmRequest = z.input<typeof quickCreateVmRequest>;
export type QuickCreateVmInput = z.output<typeof quickCreateVmRequest>;

/** Only while it is shut off; `autostart` alone at any time. Missing fields stay as they are. */
export const changeVmRequest = z.strictObject({
  name: machineName.optional(),
  cpus: cpus.optional(),
  memoryBytes: memoryBytes.optional(),
  bootOrder: bootOrder.optional(),
  cdBus: cdBus.optional(),
  autostart: vmAutostartChange.optional(),
});
export type ChangeVmRequest = z.infer<typeof changeVmRequest>;

export const addDiskRequest = z.strictObject({
  kind: z.literal('blank').default('blank'),
  sizeBytes: diskSizeBytes,
  format: z.enum(['raw', 'qcow2']).default('qcow2'),
});
export type AddDiskRequest = z.input<typeof addDiskRequest>;
export type AddDiskInput = z.output<typeof addDiskRequest>;

/** Disks only grow. */
export const growDiskRequest = z.strictObject({ sizeBytes: diskSizeBytes });
export type GrowDiskRequest = z.infer<typeof growDiskRequest>;

/** Null ejects the disc. */
export const setCdromRequest = z.strictObject({ image: imageId.nullable() });
export type SetCdromRequest = z.infer<typeof setCdromRequest>;

/** `disks: false` keeps its disks as images of the pool. There is no default, because deleted data is gone for good. */
export const deleteVmRequest = z.strictObject({
  disks: z.boolean({
    error:
      'Say what happens to the disks: {"disks": true} deletes them, {"disks": false} keeps them as images.',
  }),
});
export type DeleteVmRequest = z.infer<typeof deleteVmRequest>;

export const copyVmRequest = z.strictObject({ name: machineName });
export type CopyVmRequest = z.infer<typeof copyVmRequest>;

/** The end of the log as text; `follow` continues with new output until the client disconnects. */
export const serialQuery = z.strictObject({
  tail: z.coerce
    .number()
    .int()
    .min(1)
    .max(mebibyte)
    .optional()
    .describe('bytes from the end; default: 65536, with `follow` the whole log (about 1 MiB)'),
  follow: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
});
export type SerialQuery = z.input<typeof serialQuery>;

/** Hypervisor, memory and networks of this host. */
export const host = z.object({
  hypervisor: z.object({
    driver: z.enum(['libvirt', 'qemu']).nullable(),
    acceleration: z.enum(['kvm', 'tcg']).nullable(),
    version: z.string().nullable(),
    missing: z.object({ code: z.string(), packages: z.array(z.string()) }).nullable(),
  }),
  cpus: z.number(),
  memoryBytes: z.number(),
  freeMemoryBytes: z.number().describe('free memory for another machine'),
  networks: z.array(z.string()).describe('names of its networks and bridges'),
});
export type Host = z.infer<typeof host>;
