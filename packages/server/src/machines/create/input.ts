import type { BootDevice, FirstBoot, ImageFormat, VmNetwork } from '@wcc/api';
import type { OperationInput } from '../../operations/action.ts';

/** How the file of a disk comes to be. */
export type DiskContent =
  | { kind: 'blank' }
  | { kind: 'copy'; source: SourceImage; method: 'auto' | 'clone' | 'copy' }
  /** Holds only what differs from its base. */
  | { kind: 'overlay'; source: SourceImage };

export interface SourceImage {
  id: number;
  poolId: string;
  name: string;
  format: 'raw' | 'qcow2';
}

export interface DiskPlan {
  position: number;
  /** The number that its image gets when the machine is complete. */
  imageId: number;
  name: string;
  format: 'raw' | 'qcow2';
  /** What the guest sees. */
  sizeBytes: number;
  /** The source was smaller: it is made larger before it is complete. */
  grows: boolean;
  /** Room that it may take. */
  needsBytes: number;
  baseId: number | null;
  making: DiskContent;
}

/** A machine as it will be. */
export interface VmPlan {
  id: number;
  uuid: string;
  name: string;
  cpus: number;
  memoryBytes: number;
  firmware: 'bios' | 'uefi';
  network: VmNetwork;
  mac: string;
  bootOrder: readonly BootDevice[];
  cdromImageId: number | null;
}

/** Everything that its making needs: decided before the operation exists, read again after a restart. */
export interface CreateInput extends OperationInput {
  vm: VmPlan;
  disks: DiskPlan[];
  /** Without its secrets; null: the machine has no seed. */
  firstBoot: FirstBoot | null;
  hasSecrets: boolean;
  start: boolean;
  ownerId: string;
  /** For a retry: the request without secrets. */
  request: unknown;
}

/** An ISO is no disk. */
export function isDiskFormat(format: ImageFormat | null): format is 'raw' | 'qcow2' {
  return format === 'raw' || format === 'qcow2';
}
