import type { Duplex } from 'node:stream';
import type { BackingSpec, DiskSpec, MachineSpec } from './hypervisor/machine-spec.ts';
import type { SettingDifference } from './hypervisor/setting-difference.ts';

/** Drivers that exist. */
export const driverNames = ['libvirt', 'qemu'] as const;
export type DriverName = (typeof driverNames)[number];

/**
 * States of a machine: `shut_off` ⇄ `running` ⇄ `paused`.
 * - `suspended`: the guest sleeps (ACPI S3). Its memory stays; `start` wakes it.
 * - `saved`: off, with its memory in a file of the hypervisor; `start` restores it. Its disks and its definition must
 *   not change until then.
 * - `crashed`: the process ended unexpectedly, or it stays and its guest cannot continue (`guest_panic`, `internal_error`). It starts like a
 *   machine that is shut off.
 * - `unknown`: the process lives but does not answer.
 */
export const machineStates = [
  'running',
  'paused',
  'suspended',
  'saved',
  'shut_off',
  'crashed',
  'unknown',
] as const;
export type MachineState = (typeof machineStates)[number];

/** Why a machine is in its state; null: no special reason. `no_space`: its disk's file system is full; free space, then start it again. */
export type MachineStateReason =
  'no_space' | 'io_error' | 'guest_panic' | 'internal_error' | 'no_answer' | null;

/** One machine as the hypervisor reports it now. */
export interface MachineStatus {
  readonly uuid: string;
  /** The name of a foreign machine is any text, for display only. */
  readonly name: string;
  readonly state: MachineState;
  readonly reason: MachineStateReason;
  /** Created by another program: listed, never changed. */
  readonly foreign: boolean;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Host memory that its process takes now; null: unknown, or the machine is off. */
  readonly residentBytes: number | null;
  /** What another program changed since the last `define`; empty for a foreign machine. */
  readonly differences: readonly SettingDifference[];
}

/** A network that a machine can use. */
export interface HostNetwork {
  readonly kind: 'bridge' | 'network';
  readonly name: string;
}

/** The capabilities of this host, as probed. */
export interface HypervisorFacts {
  readonly driver: DriverName;
  /** Null when no guest boots: see `missing`. */
  readonly acceleration: 'kvm' | 'tcg' | null;
  /** Version of QEMU, e.g. `7.2.22`. */
  readonly version: string | null;
  /** Debian packages to install before a machine can run. */
  readonly missing: { readonly code: 'packages_missing' | 'unavailable'; readonly packages: string[] } | null;
  /** Whether machines can have the firmware `uefi`. */
  readonly hasUefi: boolean;
}

/**
 * Runs virtual machines. The state of a machine is in the hypervisor or on the disk, never only in memory. After a SIGKILL,
 * the next instance finds the same machines, running or not.
 *
 * Each driver
 * - MUST leave machines running when it is closed, and when its process is killed.
 * - MUST name a machine to its tools by UUID only, and give them arguments as arrays, never through a shell.
 * - MUST NOT take any text from a {@link MachineSpec} that `assertMachineSpec` did not accept.
 * - MUST NOT open a disk with any other format or backing file than the specification names, because the guest controls the disk's content.
 * - MUST NOT change a machine that it did not create (`foreign_machine`), and MUST throw `unknown_machine` for an unknown UUID.
 * - MUST NOT let a screen listen anywhere but on a unix socket that only this user can open.
 * - MUST change only the parts of a machine's definition that its caller changes, and MUST throw `changed_outside` instead of
 *   replacing a setting that another program changed.
 * - MUST reject with a {@link HypervisorError} only.
 *
 * Calls for one machine run one after the other, in call order. Calls for different machines run concurrently.
 */
export interface Hypervisor {
  readonly driver: DriverName;

  /** Probes the host once and caches the result. `afresh` probes again, for example after packages were installed. Never rejects. */
  probe(options?: { afresh?: boolean }): Promise<HypervisorFacts>;

  /** Bridges of the host and networks of the hypervisor. The kinds `user` and `none` need no network. */
  networks(): Promise<HostNetwork[]>;

  /**
   * Creates the machine, or gives the stopped machine of this UUID a new specification (name, CPUs, memory, disks, boot order, …).
   * MUST be idempotent: the same specification changes nothing, running or not. MUST NOT touch the disks.
   * Throws `invalid_state` when it runs and the specification differs, `saved_state`, `changed_outside` when the hypervisor has a
   * setting that neither the last `define` nor this specification has, `name_taken`, `packages_missing` (e.g. for uefi),
   * `unsupported`, `aborted`.
   */
  define(spec: MachineSpec, options?: CallOptions): Promise<void>;

  /**
   * Removes the stopped machine and all files that the driver keeps for it. Disks stay. Idempotent: ignores an unknown UUID.
   * Throws `invalid_state` when it runs.
   */
  undefine(uuid: string): Promise<void>;

  /** The specification of the last `define`; null for an unknown or foreign machine. */
  spec(uuid: string): Promise<MachineSpec | null>;

  /** All machines of this hypervisor, including foreign ones. */
  list(): Promise<MachineStatus[]>;

  /** One machine; null when the hypervisor has no such machine. */
  status(uuid: string): Promise<MachineStatus | null>;

  /**
   * Boots the machine, resumes it when paused, wakes it when suspended, and restores it when saved. The guest runs when this
   * resolves. Idempotent: leaves a running machine alone.
   * Throws `start_failed` with the hypervisor's message as detail, `disk_stopped` when the guest stops again for its disk,
   * `aborted`.
   */
  start(uuid: string, options?: CallOptions): Promise<void>;

  /** Stops the CPUs of a running machine, and leaves any other machine alone. Its memory stays. */
  pause(uuid: string): Promise<void>;

  /** Lets the CPUs of a paused machine run again, and leaves any other machine alone. */
  resume(uuid: string): Promise<void>;

  /**
   * Presses the power button (ACPI) and does not wait, because the guest decides. Throws `invalid_state` when its guest does not run.
   */
  shutdown(uuid: string): Promise<void>;

  /** Cuts the power. The machine is off when this resolves. Idempotent; keeps a saved state. */
  powerOff(uuid: string): Promise<void>;

  /**
   * Presses the reset button. The guest boots, also after a pause, a sleep or a panic. Throws `invalid_state` when the machine is
   * off.
   */
  reset(uuid: string): Promise<void>;

  /** Discards the memory of a saved machine, which is off then. Leaves any other machine alone. */
  discardSavedState(uuid: string): Promise<void>;

  /**
   * Inserts an ISO into the drive, or ejects it (null), now and for the next start. Throws `changed_outside`, `saved_state`.
   */
  setCdrom(uuid: string, path: string | null): Promise<void>;

  /**
   * Grows a disk of the machine, running or not; a running guest sees the new size. Throws `invalid_spec` for a
   * smaller size, `changed_outside`, `saved_state`. `disk` is a disk of the machine's specification.
   */
  growDisk(uuid: string, options: { disk: DiskSpec; sizeBytes: number }): Promise<void>;

  /**
   * The screen as a stream of RFB bytes, starting with the server's greeting `RFB 003.008`. The caller destroys the stream.
   * Throws `invalid_state` when it does not run.
   */
  openScreen(uuid: string): Promise<Duplex>;

  /** The screen now, as PNG. Throws `invalid_state` when it does not run. */
  screenshot(uuid: string): Promise<Buffer>;

  /** The newest output of the serial port, at most {@link serialLimitBytes}; also for a machine that is off. */
  readSerial(uuid: string): Promise<Buffer>;

  /**
   * Yields the end of the serial log, then new output as it arrives. Ends with the signal only, because a machine
   * may start again.
   */
  followSerial(uuid: string, options: FollowSerialOptions): AsyncIterable<Buffer>;

  /**
   * Calls the listener when something may have changed: a hint to list again. @returns a function that removes the
   * listener
   */
  onChange(listener: () => void): () => void;

  /** Releases what this process holds, and leaves machines as they are. */
  close(): Promise<void>;
}

export interface CallOptions {
  /**
   * After it aborts, a call MUST NOT begin. A call that has begun MUST settle within three seconds and end every
   * process that it started. The call may have taken effect anyway: a later `undefine` or `status` shows the truth.
   */
  signal?: AbortSignal;
}

export interface FollowSerialOptions {
  signal: AbortSignal;
  /** Number of bytes of earlier output to yield first, from its end. @default the whole log */
  tailBytes?: number;
}

/** Limit of a machine's serial log, because a guest may write without end. */
export const serialLimitBytes: number = 1024 ** 2;

export type { BackingSpec, DiskSpec, MachineSpec, SettingDifference };
