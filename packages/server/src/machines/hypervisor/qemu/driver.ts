import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { OnError } from '@wcc/progress/server';
import { createKeyedMutex } from '../../../concurrency/mutex.ts';
import type { Hypervisor, MachineStatus } from '../../hypervisor.ts';
import { isUuid } from '../machine-spec.ts';
import { createChangeHints } from '../change-hints.ts';
import { listBridges } from '../host-bridges.ts';
import { normalizeErrors } from '../normalize-errors.ts';
import { followSerialLog, readSerialLog, trimSerialLog } from '../serial-log.ts';
import { machineFiles } from './arguments.ts';
import type { QemuContext } from './context.ts';
import { assertDefinition, probe } from './context.ts';
import { define, removeOrphanDirectories, undefine } from './define.ts';
import { createDefinitions } from './definitions.ts';
import type { QemuHost } from './host.ts';
import { examineHost } from './host.ts';
import { discardSavedState, pause, powerOff, reset, resume, shutdown, start } from './power.ts';
import { growDisk, setCdrom } from './media.ts';
import { createMonitors } from './monitors.ts';
import { readResidentBytes } from './process.ts';
import { openScreen, screenshot } from './screen.ts';

export interface QemuDriverOptions {
  /** Absolute path of the driver's own directory; created when missing. */
  dir: string;
  /** True: a server may use the directory now. Its machines can be stopped; their files are left to it. @default false */
  isBesideServer?: boolean;
  onError: OnError;
}

/** How often logs are checked and cut: a guest may write without end. */
const trimEveryMs = 5_000;

/** Machines as plain QEMU processes, which outlive this process. `Hypervisor` has the contract. */
export async function createQemuDriver(options: QemuDriverOptions): Promise<Hypervisor> {
  const { dir, isBesideServer = false, onError } = options;
  const root = join(dir, 'machines');
  await mkdir(root, { recursive: true, mode: 0o700 });
  const changes = createChangeHints();
  const definitions = createDefinitions(root);
  let hostPromise: Promise<QemuHost> | null = null;
  const context: QemuContext = {
    definitions,
    monitors: createMonitors(definitions, { onChange: changes.emit, isBesideServer }),
    host: ({ afresh = false } = {}) => {
      if (afresh) hostPromise = null;
      return (hostPromise ??= examineHost(join(dir, 'probe')));
    },
    changed: changes.emit,
  };
  if (!isBesideServer) await removeOrphanDirectories(context);
  const trim = (): void =>
    void trimLogs(context).catch((error: unknown) => onError(error, { stage: 'machines: serial logs' }));
  const trimming = isBesideServer ? undefined : setInterval(trim, trimEveryMs).unref();
  return normalizeErrors(
    createCalls(context, {
      onChange: changes.subscribe,
      close: () => {
        clearInterval(trimming);
        context.monitors.close();
        return Promise.resolve();
      },
    }),
  );
}

function createCalls(context: QemuContext, own: Pick<Hypervisor, 'onChange' | 'close'>): Hypervisor {
  const mutexOf = createKeyedMutex();
  /** Serializes `define`, because names are unique. */
  const nameMutex = mutexOf('names');
  const { definitions } = context;
  const serialOf = async (uuid: string): Promise<string> => {
    await assertDefinition(context, uuid);
    return join(definitions.directory(uuid), machineFiles.serial);
  };
  return {
    ...own,
    driver: 'qemu',
    probe: async (options) => (await context.host(options)).facts,
    networks: listBridges,
    define: (spec, options) => nameMutex(() => mutexOf(spec.uuid)(() => define(context, spec, options))),
    undefine: (uuid) => mutexOf(uuid)(() => undefine(context, uuid)),
    spec: async (uuid) => (await definitions.read(uuid))?.spec ?? null,
    list: async () => {
      const all = await Promise.all((await definitions.list()).map((uuid) => statusOf(context, uuid)));
      return all.filter((one) => one !== null);
    },
    status: (uuid) => statusOf(context, uuid),
    start: (uuid, options) => mutexOf(uuid)(() => start(context, uuid, options)),
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

async function statusOf(context: QemuContext, uuid: string): Promise<MachineStatus | null> {
  const definition = isUuid(uuid) ? await context.definitions.read(uuid) : null;
  if (definition === null) return null;
  const { name, cpus, memoryBytes } = definition.spec;
  const { state, reason, process } = await probe(context, uuid);
  const residentBytes = process === null ? null : await readResidentBytes(process);
  // Only wcc can change a machine of this driver.
  const shared = { foreign: false, differences: [] };
  return { uuid, name, state, reason, ...shared, cpus, memoryBytes, residentBytes };
}

async function trimLogs({ definitions }: QemuContext): Promise<void> {
  for (const uuid of await definitions.list()) {
    await trimSerialLog(join(definitions.directory(uuid), machineFiles.serial));
    await trimSerialLog(join(definitions.directory(uuid), machineFiles.log));
  }
}
