import { ApiError } from '@wcc/api';
import type { VmId } from '@wcc/api';
import { formatBytes } from '@wcc/progress';
import type { OnError } from '@wcc/progress/server';
import { statfs } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mutex } from '../../concurrency/mutex.ts';
import type { Pool } from '../../images/pool/pools.ts';
import { floorBytesOf } from '../../images/space/reservations.ts';
import type { FreeSpaceFloor } from '../../images/space/reservations.ts';
import type { Store } from '../../storage/store.ts';
import type { Hypervisor, MachineStatus } from '../hypervisor.ts';
import { findVm } from '../record/machine-rows.ts';
import type { VmRow } from '../record/machine-rows.ts';
import type { PauseMarks } from './marks.ts';
import { createPauseMarks, event } from './marks.ts';
import { pollIntervalMs } from './poll-interval.ts';

/**
 * Pauses the machines of a file system with too little free space, so that no guest fills the disk of the database or
 * of other programs. Resumes them when there is room again: those that it has paused, and only while no person has
 * started, stopped or paused them since.
 */
export interface EmergencyFloor {
  /** Forgets the pause, because a person starts or stops the machine. */
  release(row: Pick<VmRow, 'id' | 'pausedFor'>): Promise<void>;
  /** @throws ApiError `no_space` for a pool where every machine would be paused at once; PoolError `not_responding` */
  assertRoom(poolId: string): Promise<void>;
  start(): void;
  close(): Promise<void>;
}

export interface EmergencyFloorOptions {
  store: Store;
  pools: { all(): readonly Pool[]; find(poolId: string): Pool };
  hypervisor: Hypervisor;
  machineMutex: (key: string) => Mutex;
  floor: FreeSpaceFloor;
  onError: OnError;
}

interface FreeSpace {
  freeBytes: number;
  floorBytes: number;
}

/** Room for a machine to resume: half of the floor more, so that it does not pause again at once. */
const resumeFactor = 1.5;
const firstDelayMs = 5_000;
const mostDelayMs = 300_000;

export function createEmergencyFloor(options: EmergencyFloorOptions): EmergencyFloor {
  const floor = new Floor(options);
  const stop = new AbortController();
  let running: Promise<void> | null = null;
  return {
    async release(row) {
      if (floor.marks.has(row)) await floor.marks.clear(row.id);
    },
    assertRoom: (poolId) => floor.assertRoom(poolId),
    start: () => void (running ??= floor.watch(stop.signal)),
    async close() {
      stop.abort();
      await running;
    },
  };
}

class Floor {
  readonly marks: PauseMarks;
  readonly #options: EmergencyFloorOptions;
  /** How often wcc has resumed a machine that soon needed a pause again. */
  readonly #resumes = new Map<VmId, { count: number; atMs: number }>();

  constructor(options: EmergencyFloorOptions) {
    this.#options = options;
    this.marks = createPauseMarks(options.store);
  }

  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const nextMs = await this.#look().catch((error: unknown) => {
        this.#options.onError(error, { stage: 'machines: emergency floor' });
        return firstDelayMs;
      });
      await sleep(nextMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async assertRoom(poolId: string): Promise<void> {
    const { freeBytes, floorBytes } = await this.#measure(this.#options.pools.find(poolId));
    if (freeBytes >= floorBytes) return;
    const message = `The machine would be paused: ${formatBytes(freeBytes)} are free, and the emergency floor is ${formatBytes(floorBytes)}.`;
    throw new ApiError('no_space', { message });
  }

  /** Looks at all file systems. @returns the time until the next look */
  async #look(): Promise<number> {
    // No guest writes to a disk that does not respond.
    const pools = this.#options.pools.all().filter(({ reason, gate }) => reason === null && !gate.isStuck());
    const waits = await Promise.all(
      pools.map(async (pool) => {
        const space = await this.#measure(pool);
        await this.#act(pool, space);
        return pollIntervalMs(space);
      }),
    );
    return Math.min(firstDelayMs, ...waits);
  }

  async #measure({ path, gate }: Pool): Promise<FreeSpace> {
    const { bavail, blocks, bsize } = await gate.run(() => statfs(path));
    return { freeBytes: bavail * bsize, floorBytes: floorBytesOf(this.#options.floor, blocks * bsize) };
  }

  async #act(pool: Pool, { freeBytes, floorBytes }: FreeSpace): Promise<void> {
    const isBelow = freeBytes < floorBytes;
    const rows = await this.#rowsOf(pool);
    const marked = rows.filter((row) => this.marks.has(row));
    if (rows.length === 0 || (!isBelow && marked.length === 0)) return;
    const machines = await this.#options.hypervisor.list();
    const statusOf = new Map(machines.map((status) => [status.uuid, status]));
    if (isBelow) {
      await Promise.all(rows.map((row) => this.#pause(row, statusOf.get(row.uuid))));
      await this.marks.save();
      return;
    }
    for (const row of marked) {
      // A person, or the guest, has changed it since.
      if (statusOf.get(row.uuid)?.state !== 'paused') await this.marks.clear(row.id);
      else if (hasRoomToResume({ freeBytes, floorBytes })) await this.#resume(row, pool);
    }
  }

  #rowsOf(pool: Pool): Promise<VmRow[]> {
    const { db } = this.#options.store;
    // Also machines that an operation has started and not yet completed.
    return db.selectFrom('vms').selectAll().where('poolId', '=', pool.id).execute();
  }

  async #pause(row: VmRow, status: MachineStatus | undefined): Promise<void> {
    // QEMU pauses a guest whose write found the disk full. No person has paused that one either.
    const lacksSpace = status?.state === 'paused' && status.reason === 'no_space';
    const runs = status?.state === 'running';
    if (!runs && !lacksSpace) {
      if (status?.state !== 'paused' && this.marks.has(row)) await this.marks.clear(row.id);
      return;
    }
    // First the mark: a crash in between must not leave a paused machine that looks as if a person had paused it.
    if (!this.marks.has(row)) await this.marks.set(row.id);
    if (!runs) return;
    await this.#options.hypervisor.pause(row.uuid).catch((error: unknown) => {
      // The next look tries again, if the machine still runs.
      this.#options.onError(error, { stage: `machine ${row.id}: emergency pause` });
    });
  }

  /** In turn with requests for this machine, so that a person's action is either seen or comes later. */
  async #resume({ id }: VmRow, pool: Pool): Promise<void> {
    const { store, hypervisor, machineMutex } = this.#options;
    if (!this.#mayResume(id)) return;
    await machineMutex(String(id))(async () => {
      const row = await findVm(store, id);
      if (row === undefined || row.state !== 'ready' || !this.marks.has(row)) return;
      // Another machine may have taken the room in the time that this one has waited for its turn.
      if (!hasRoomToResume(await this.#measure(pool))) return;
      if ((await hypervisor.status(row.uuid))?.state === 'paused') await hypervisor.resume(row.uuid);
      await this.marks.clear(id, [event('vm.emergency_resume', id)]);
      this.#noteResume(id);
    });
  }

  /** A machine that fills the disk again and again waits longer each time. */
  #mayResume(id: VmId): boolean {
    const last = this.#resumes.get(id);
    return last === undefined || performance.now() >= last.atMs + delayMs(last.count);
  }

  #noteResume(id: VmId): void {
    const nowMs = performance.now();
    const last = this.#resumes.get(id);
    const isSoon = last !== undefined && nowMs - last.atMs < 2 * mostDelayMs;
    this.#resumes.set(id, { count: isSoon ? last.count + 1 : 1, atMs: nowMs });
  }
}

const hasRoomToResume = ({ freeBytes, floorBytes }: FreeSpace): boolean =>
  freeBytes >= floorBytes * resumeFactor;

function delayMs(count: number): number {
  return Math.min(mostDelayMs, firstDelayMs * 2 ** (count - 1));
}
