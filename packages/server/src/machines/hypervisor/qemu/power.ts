import { copyFile, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallOptions } from '../../hypervisor.ts';
import { assertNotAborted, HypervisorError } from '../hypervisor-error.ts';
import { findUefi } from '../uefi.ts';
import { waitForRun } from '../run-state.ts';
import { buildArguments, machineFiles } from './arguments.ts';
import type { QemuContext } from './context.ts';
import { assertDefinition, assertMonitor, isOn, probe } from './context.ts';
import type { Definition } from './definitions.ts';
import { assertEmulator } from './host.ts';
import type { MachineProbe } from './probe.ts';
import type { Launched } from './process.ts';
import { endProcess, launch, waitForEnd } from './process.ts';

/** Time limit of a start. It takes 0.2 s, and much longer on an overloaded host. */
const startMs = 60_000;
/** How long QEMU may take to quit before it is killed. */
const quitMs = 3_000;

export async function start(context: QemuContext, uuid: string, { signal }: CallOptions = {}): Promise<void> {
  const definition = await assertDefinition(context, uuid);
  const current = await probe(context, uuid);
  if (current.state === 'running') return;
  if (current.state === 'paused' || current.state === 'suspended') return wake(context, uuid, current);
  if (current.state === 'unknown') throw new HypervisorError('no_answer');
  // The process of a panicked guest is still there.
  if (isOn(current)) await powerOff(context, uuid);
  await boot(context, definition, signal);
}

/** Makes the guest run again. */
async function wake(context: QemuContext, uuid: string, before: MachineProbe): Promise<void> {
  const monitor = await context.monitors.of(uuid);
  await monitor.execute(before.state === 'suspended' ? 'system_wakeup' : 'cont');
  await waitForRun(before, () => probe(context, uuid));
}

async function boot(
  context: QemuContext,
  { spec, machineType }: Definition,
  signal: AbortSignal | undefined,
): Promise<void> {
  const emulator = assertEmulator(await context.host(), spec);
  const directory = context.definitions.directory(spec.uuid);
  await clearRuntimeFiles(context, spec.uuid);
  if (spec.firmware === 'uefi') await createFirmwareVariables(directory);
  const { program } = emulator;
  assertNotAborted(signal);
  const launched = launch([program, ...buildArguments(spec, { ...emulator, machineType })], directory);
  launched.ended.then(context.changed, context.changed);
  signal?.addEventListener('abort', launched.kill);
  await waitForMonitor(context, { uuid: spec.uuid, launched, signal }).finally(() => {
    signal?.removeEventListener('abort', launched.kill);
  });
}

/** Waits for the monitor, or for the exit of a QEMU that could not start. */
async function waitForMonitor(
  context: QemuContext,
  { uuid, launched, signal }: { uuid: string; launched: Launched; signal: AbortSignal | undefined },
): Promise<void> {
  let end: string | null = null;
  launched.ended.then((how) => (end = how)).catch(() => {});
  const deadline = performance.now() + startMs;
  for (;;) {
    const hasStarted = await context.monitors.of(uuid).catch(() => null);
    if (hasStarted !== null) return context.changed();
    if (end !== null) {
      const detail = await readStartError(context.definitions.directory(uuid), end);
      await clearRuntimeFiles(context, uuid);
      assertNotAborted(signal);
      throw new HypervisorError('start_failed', { detail });
    }
    if (performance.now() > deadline) {
      launched.kill();
      await launched.ended;
      await clearRuntimeFiles(context, uuid);
      throw new HypervisorError('start_failed', { detail: 'QEMU did not answer in time' });
    }
    await sleep(10);
  }
}

async function readStartError(directory: string, end: string): Promise<string> {
  const log = await readFile(join(directory, machineFiles.log), 'utf8').catch(() => '');
  return log.trim() === '' ? `QEMU ended (${end})` : log.trim().slice(-2000);
}

/** Creates the machine's own copy of the UEFI variables, unless it exists. */
async function createFirmwareVariables(directory: string): Promise<void> {
  const firmware = findUefi();
  const target = join(directory, machineFiles.firmwareVariables);
  if (firmware === null) throw new HypervisorError('packages_missing', { packages: ['ovmf'] });
  const existing = await open(target, 'r').catch(() => null);
  if (existing) return existing.close();
  await copyFile(firmware.variables, target);
}

export async function pause(context: QemuContext, uuid: string): Promise<void> {
  await assertDefinition(context, uuid);
  if ((await probe(context, uuid)).state === 'running')
    await (await context.monitors.of(uuid)).execute('stop');
}

export async function resume(context: QemuContext, uuid: string): Promise<void> {
  await assertDefinition(context, uuid);
  if ((await probe(context, uuid)).state === 'paused')
    await (await context.monitors.of(uuid)).execute('cont');
}

export async function shutdown(context: QemuContext, uuid: string): Promise<void> {
  const monitor = await assertMonitor(context, uuid);
  const { state } = await probe(context, uuid);
  // A guest that does not run does not see the button.
  if (state !== 'running') throw new HypervisorError('invalid_state', { detail: state });
  await monitor.execute('system_powerdown');
}

export async function reset(context: QemuContext, uuid: string): Promise<void> {
  const monitor = await assertMonitor(context, uuid);
  const before = await probe(context, uuid);
  if (before.state === 'suspended') await wake(context, uuid, before);
  await monitor.execute('system_reset');
  // The guest stays stopped after the reset of a machine that was paused or had panicked.
  if (before.state === 'paused' || before.state === 'crashed')
    await wake(context, uuid, { ...before, state: 'paused' });
}

/** This driver saves no memory. */
export async function discardSavedState(context: QemuContext, uuid: string): Promise<void> {
  await assertDefinition(context, uuid);
}

export async function powerOff(context: QemuContext, uuid: string): Promise<void> {
  await assertDefinition(context, uuid);
  const { process, state } = await probe(context, uuid);
  if (process !== null) {
    // A clean quit flushes the disk caches; a process that hangs is killed.
    const hasQuit = state !== 'unknown' && (await quit(context, uuid)) && (await waitForEnd(process, quitMs));
    const isGone = hasQuit || (await endProcess(process, quitMs));
    if (!isGone) throw new HypervisorError('no_answer', { detail: 'the process does not exit' });
  }
  await clearRuntimeFiles(context, uuid);
  context.changed();
}

async function quit({ monitors }: QemuContext, uuid: string): Promise<boolean> {
  try {
    await (await monitors.of(uuid)).execute('quit');
    return true;
  } catch {
    return false;
  }
}

/** Removes the files of a process that has exited. The serial log stays. */
async function clearRuntimeFiles({ definitions, monitors }: QemuContext, uuid: string): Promise<void> {
  monitors.drop(uuid);
  const { pid, monitor, secondMonitor, screen } = machineFiles;
  for (const name of [pid, monitor, secondMonitor, screen]) {
    await rm(join(definitions.directory(uuid), name), { force: true });
  }
}
