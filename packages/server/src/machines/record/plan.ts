import type { BootDevice, CdBus, FirstBoot, ImageFormat, ImageId, VmId, VmNetwork } from '@wcc/api';
import type { OperationInput } from '../../operations/action.ts';

/** The initial content of a disk. */
export type DiskContent =
  | { kind: 'blank' }
  | { kind: 'copy'; source: SourceImage; method: 'auto' | 'clone' | 'copy' }
  /** Stores only the blocks that differ from its base. */
  | { kind: 'overlay'; source: SourceImage };

export interface SourceImage {
  id: ImageId;
  poolId: string;
  name: string;
  format: 'raw' | 'qcow2';
}

/** A disk to provision. Stored in the operation's input, so its field names must not change. */
export interface DiskPlan {
  position: number;
  /** The number of its image once the machine is complete. */
  imageId: ImageId;
  name: string;
  format: 'raw' | 'qcow2';
  /** Size that the guest sees. */
  sizeBytes: number;
  /** The source is smaller, so the disk grows after the copy. */
  grows: boolean;
  /** Upper bound of the space that its file takes. */
  needsBytes: number;
  baseId: ImageId | null;
  making: DiskContent;
}

/** A machine to provision. Stored in the operation's input, so its field names must not change. */
export interface VmPlan {
  id: VmId;
  uuid: string;
  name: string;
  cpus: number;
  memoryBytes: number;
  firmware: 'bios' | 'uefi';
  network: VmNetwork;
  mac: string;
  bootOrder: readonly BootDevice[];
  cdromImageId: ImageId | null;
  /** Plans of 0.1.0 have none; it is needed only when the machine is accepted. */
  cdBus: CdBus;
}

/** The stored input of provisioning: decided before the operation exists, read again after a restart. */
export interface CreateInput extends OperationInput {
  vm: VmPlan;
  disks: DiskPlan[];
  /** The first-boot data without its secrets; null: the machine has no seed. */
  firstBoot: FirstBoot | null;
  hasSecrets: boolean;
  /** The disks are copies of a machine that has its users: its seed gives it a new identity only. Missing in 0.1.0. */
  isCopy?: boolean;
  /** The original has printed nothing: perhaps its first boot is still to come. Missing before this was asked. */
  isOriginalSilent?: boolean;
  start: boolean;
  ownerId: string;
  /** The request without its secrets, for a retry. */
  request: unknown;
}

/** False for an ISO. */
export function isDiskFormat(format: ImageFormat | null): format is 'raw' | 'qcow2' {
  return format === 'raw' || format === 'qcow2';
}
