import type { Duplex } from 'node:stream';
import type { BackingSpec, DiskSpec, MachineSpec } from './hypervisor/machine-spec.ts';

/** Drivers that exist. */
export const driverNames = ['libvirt', 'qemu'] as const;
export type DriverName = (typeof driverNames)[number];

/**
 * States of a machine. `shut_off` ⇄ `running` ⇄ `paused`; `crashed` is a machine whose process ended without a word or whose
 * guest panicked, and starts as one that is shut off; `unknown` is one whose process lives and does not answer.
 */
export const machineStates = ['running', 'paused', 'shut_off', 'crashed', 'unknown'] as const;
export type MachineState = (typeof machineStates)[number];

/** Why a machine is in its state; null: for no special reason. `no_space` pauses it until there is room and it is started again. */
export type MachineStateReason = 'no_space' | 'io_error' | 'guest_panic' | 'no_answer' | null;

/** One machine as the hypervisor has it now. */
export interface MachineStatus {
  readonly uuid: string;
  /** As the hypervisor spells it: that of a foreign machine is any text, for display only. */
  readonly name: string;
  readonly state: MachineState;
  readonly reason: MachineStateReason;
  /** Made by others: listed, never changed. */
  readonly foreign: boolean;
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** A network that machines can be put on. */
export interface HostNetwork {
  readonly kind: 'bridge' | 'network';
  readonly name: string;
}

/** What this host can do, found out by trying. */
export interface HypervisorFacts {
  readonly driver: DriverName;
  /** Null when nothing boots: see `missing`. */
  readonly acceleration: 'kvm' | 'tcg' | null;
  /** Of QEMU, e.g. `7.2.22`. */
  readonly version: string | null;
  /** What to install (names of Debian packages) before a machine can run. */
  readonly missing: { readonly code: 'packages_missing' | 'unavailable'; readonly packages: string[] } | null;
  /** Machines with the firmware `uefi` can be made. */
  readonly hasUefi: boolean;
}

/**
 * Runs virtual machines. Everything that a machine is stays with the hypervisor or on the disk: an instance may be thrown away at any
 * moment (SIGKILL) and the next one finds the same machines, running or not.
 *
 * Each driver
 * - MUST leave machines running when it is closed, and when its process is killed.
 * - MUST name a machine to its tools by UUID only, and give them arguments as arrays, never through a shell.
 * - MUST NOT take any text from a {@link MachineSpec} that `checkMachineSpec` did not accept.
 * - MUST NOT open a disk with any other format or backing file than the specification names: a guest writes what it likes into it.
 * - MUST NOT change a machine that it did not make (`foreign_machine`), and MUST throw `unknown_machine` for a UUID that is nowhere.
 * - MUST NOT let a screen listen anywhere but on a unix socket that only this user reaches.
 * - MUST reject with a {@link HypervisorError} and with nothing else.
 *
 * Calls for one machine run one after the other, in the order in which they were made; calls for different machines do not wait
 * for each other.
 */
export interface Hypervisor {
  readonly driver: DriverName;

  /** Finds out once, and keeps, what this host can do; with `afresh` it looks again (packages were installed). Never rejects. */
  probe(options?: { afresh?: boolean }): Promise<HypervisorFacts>;

  /** Bridges of the host and networks of the hypervisor; `user` and `none` need no network. */
  networks(): Promise<HostNetwork[]>;

  /**
   * Makes the machine, or gives the stopped machine of this UUID a new specification (name, CPUs, memory, disks, boot order, …).
   * MUST be idempotent: the same specification again changes nothing, running or not. MUST NOT touch the disks.
   * Throws `invalid_state` when it runs and the specification differs, `name_taken`, `packages_missing` (e.g. for uefi), `unsupported`,
   * `aborted`.
   */
  define(spec: MachineSpec, options?: CallOptions): Promise<void>;

  /** Forgets the stopped machine and all that the driver keeps of it. Disks stay. Idempotent: an unknown UUID is no error. Throws `invalid_state` when it runs. */
  undefine(uuid: string): Promise<void>;

  /** What `define` was given last; null for an unknown or foreign machine. */
  spec(uuid: string): Promise<MachineSpec | null>;

  /** All machines of this hypervisor, foreign ones too. */
  list(): Promise<MachineStatus[]>;

  /** One machine; null when it is nowhere. */
  status(uuid: string): Promise<MachineStatus | null>;

  /** Boots it, or lets a paused machine go on. Idempotent: a running one stays as it is. Throws `start_failed` with the hypervisor's words as detail, `aborted`. */
  start(uuid: string, options?: CallOptions): Promise<void>;

  /** Presses the power button (ACPI) and does not wait: the guest decides. Throws `invalid_state` when it does not run. */
  shutdown(uuid: string): Promise<void>;

  /** Cuts the power; the machine is off when this resolves. Idempotent. */
  powerOff(uuid: string): Promise<void>;

  /** Presses the reset button. Throws `invalid_state` when it does not run. */
  reset(uuid: string): Promise<void>;

  /** Puts an ISO into the drive, or takes it out (null), now and for the next start. */
  setCdrom(uuid: string, path: string | null): Promise<void>;

  /**
   * Makes a disk of the machine larger, running or not; a running guest is told. Never smaller: `invalid_spec`.
   * The disk is one of the machine's specification.
   */
  growDisk(uuid: string, options: { disk: DiskSpec; sizeBytes: number }): Promise<void>;

  /**
   * The screen as a stream of RFB bytes, from the server's greeting `RFB 003.008` on. Whoever opens it destroys it.
   * Throws `invalid_state` when it does not run.
   */
  openScreen(uuid: string): Promise<Duplex>;

  /** The screen now, as PNG. Throws `invalid_state` when it does not run. */
  screenshot(uuid: string): Promise<Buffer>;

  /** What the machine wrote to its serial port lately (at most {@link serialLimitBytes}), also of one that is off now. */
  readSerial(uuid: string): Promise<Buffer>;

  /** Follows the serial port: first the end of what `readSerial` tells, then what comes. Ends with the signal only: a machine may start again. */
  followSerial(uuid: string, options: FollowSerialOptions): AsyncIterable<Buffer>;

  /** Tells that something may have changed: a hint to list again, never the news itself. @returns stops it */
  onChange(listener: () => void): () => void;

  /** Lets go of everything, and leaves machines as they are. */
  close(): Promise<void>;
}

export interface CallOptions {
  /**
   * When it aborts, the order MUST NOT begin any more; one that has begun MUST end within three seconds, whatever it waits for, and no
   * process of ours may live on. It may have been carried out all the same: `undefine` comes after it, and tells the truth.
   */
  signal?: AbortSignal;
}

export interface FollowSerialOptions {
  signal: AbortSignal;
  /** How much of what was said before comes first, counted from its end. @default all that is kept */
  tailBytes?: number;
}

/** The serial log of a machine never holds much more: a guest writes as much as it likes. */
export const serialLimitBytes: number = 1024 ** 2;

export type { BackingSpec, DiskSpec, MachineSpec };
