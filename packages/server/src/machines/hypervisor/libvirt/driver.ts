import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { OnError } from '@wcc/progress/server';
import { createKeyedMutex } from '../../../concurrency/mutex.ts';
import type { Hypervisor, MachineStatus } from '../../hypervisor.ts';
import { isUuid } from '../machine-spec.ts';
import type { ChangeHints } from '../change-hints.ts';
import { createChangeHints } from '../change-hints.ts';
import { normalizeErrors } from '../normalize-errors.ts';
import { followSerialLog, readSerialLog } from '../serial-log.ts';
import type { LibvirtContext } from './context.ts';
import { withSignal, assertOwn, filesOf, findOwn, probe } from './context.ts';
import { define, createOwnDirectory, undefine } from './define.ts';
import type { EventFollower } from './events.ts';
import { followEvents } from './events.ts';
import type { LibvirtHost } from './host.ts';
import { examineHost } from './host.ts';
import {
  discardSavedState,
  growDisk,
  pause,
  powerOff,
  reset,
  resume,
  setCdrom,
  shutdown,
  start,
} from './power.ts';
import { list, listNetworks, removeOrphanDirectories, trimLogs } from './list.ts';
import { openScreen, screenshot } from './screen.ts';
import { ownerOf } from './tag.ts';
import type { LibvirtConnection } from './virsh.ts';
import { createVirsh } from './virsh.ts';

export interface LibvirtDriverOptions {
  /**
   * Absolute path of the driver's own directory; created when missing. Its path identifies this installation in the
   * tags of machines.
   */
  dir: string;
  connection: LibvirtConnection;
  /** True: a server may use the directory now, and its files are left to it. @default false */
  isBesideServer?: boolean;
  onError: OnError;
}

/** How often logs are checked and cut: a guest may write without end. */
const trimEveryMs = 5_000;

/** Machines of libvirt, through `virsh`. libvirt holds all state. `Hypervisor` has the contract. */
export async function createLibvirtDriver(options: LibvirtDriverOptions): Promise<Hypervisor> {
  const { dir } = options;
  const changes = createChangeHints();
  const context = createContext(options, changes);
  await createOwnDirectory(context, dir);
  await createOwnDirectory(context, context.root);
  const watch = createWatch(context, { options, changes });
  return normalizeErrors(createCalls(context, { ...watch, isBesideServer: options.isBesideServer === true }));
}

function createContext({ dir, connection }: LibvirtDriverOptions, changes: ChangeHints): LibvirtContext {
  const virsh = createVirsh(connection);
  let hostPromise: Promise<LibvirtHost> | null = null;
  return {
    virsh,
    owner: ownerOf(dir),
    root: join(dir, 'machines'),
    host({ afresh = false } = {}) {
      if (afresh) hostPromise = null;
      return (hostPromise ??= examineHost(virsh, join(dir, 'probe')));
    },
    justDefined: new Map(),
    compared: new Map(),
    changed: changes.emit,
  };
}

/** The background work of an open driver: it cuts logs and follows events. */
function createWatch(
  context: LibvirtContext,
  { options, changes }: { options: LibvirtDriverOptions; changes: ChangeHints },
): Pick<Hypervisor, 'onChange' | 'close'> {
  const trim = (): void =>
    void trimLogs(context).catch((error: unknown) =>
      options.onError(error, { stage: 'machines: serial logs' }),
    );
  const trimming = options.isBesideServer === true ? undefined : setInterval(trim, trimEveryMs).unref();
  let events: EventFollower | null = null;
  return {
    onChange(listener) {
      events ??= followEvents(options.connection, changes.emit);
      return changes.subscribe(listener);
    },
    async close() {
      clearInterval(trimming);
      await events?.close();
    },
  };
}

function createCalls(
  context: LibvirtContext,
  { isBesideServer, ...own }: Pick<Hypervisor, 'onChange' | 'close'> & { isBesideServer: boolean },
): Hypervisor {
  const mutexOf = createKeyedMutex();
  /** Serializes `define`, because names are unique. */
  const nameMutex = mutexOf('names');
  const foreign = new Map<string, boolean>();
  let swept: Promise<void> | null = isBesideServer ? Promise.resolve() : null;
  const sweep = (): Promise<void> =>
    removeOrphanDirectories(context, (uuid, work) => mutexOf(uuid)(work)).catch((error: unknown) => {
      // libvirt did not answer: the next `list` tries again.
      swept = null;
      throw error;
    });
  const serialOf = async (uuid: string): Promise<string> => {
    const { directory, serial } = filesOf(context, uuid);
    // Only machines of wcc have a directory. The check avoids one virsh process per call.
    if (!isUuid(uuid) || !existsSync(directory)) await assertOwn(context, uuid);
    return serial;
  };
  return {
    ...own,
    driver: 'libvirt',
    probe: async (options) => (await context.host(options)).facts,
    networks: () => listNetworks(context),
    define: (spec, options) =>
      nameMutex(() => mutexOf(spec.uuid)(() => define(withSignal(context, options), spec))),
    undefine: (uuid) => mutexOf(uuid)(() => undefine(context, uuid)),
    spec: async (uuid) => (await findOwn(context, uuid))?.spec ?? null,
    async list() {
      await (swept ??= sweep());
      return list(context, foreign);
    },
    status: (uuid) => statusOf(context, uuid),
    start: (uuid, options) => mutexOf(uuid)(() => start(withSignal(context, options), uuid)),
    pause: (uuid) => mutexOf(uuid)(() => pause(context, uuid)),
    resume: (uuid) => mutexOf(uuid)(() => resume(context, uuid)),
    shutdown: (uuid) => mutexOf(uuid)(() => shutdown(context, uuid)),
    powerOff: (uuid) => mutexOf(uuid)(() => powerOff(context, uuid)),
    reset: (uuid) => mutexOf(uuid)(() => reset(context, uuid)),
    discardSavedState: (uuid) => mutexOf(uuid)(() => discardSavedState(context, uuid)),
    setCdrom: (uuid, path) => mutexOf(uuid)(() => setCdrom(context, uuid, path)),
    growDisk: (uuid, options) => mutexOf(uuid)(() => growDisk(context, uuid, options)),
    openScreen: (uuid) => openScreen(context, uuid),
    screenshot: (uuid) => screenshot(context, uuid),
    readSerial: async (uuid) => readSerialLog(await serialOf(uuid)),
    async *followSerial(uuid, options) {
      yield* followSerialLog(await serialOf(uuid), options);
    },
  };
}

async function statusOf(context: LibvirtContext, uuid: string): Promise<MachineStatus | null> {
  const current = await probe(context, uuid);
  if (current === null) return null;
  const { own, stats, differences } = current;
  return { ...stats, uuid, foreign: own === null, differences };
}
