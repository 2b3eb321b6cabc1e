import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { machineFiles } from './arguments.ts';
import { plainEnvironment } from '../../../images/tools/spawn-tool.ts';

/** Identifies one process: the kernel may reuse its number, but not its number with its start time. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot. */
  readonly startTicks: string;
}

/** Parses /proc/PID/stat after the last `)`, because the name may contain anything: field 1 is the state, field 20 the start time. */
async function readStat(pid: number): Promise<{ state: string; startTicks: string } | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => null);
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields?.[0], fields?.[19]];
  return state === undefined || startTicks === undefined ? null : { state, startTicks };
}

/** A zombie is not alive. */
export async function isAlive({ pid, startTicks }: ProcessIdentity): Promise<boolean> {
  const now = await readStat(pid);
  return now !== null && now.startTicks === startTicks && now.state !== 'Z' && now.state !== 'X';
}

/**
 * The process of a machine, from the number that QEMU wrote; its command line must contain the machine's UUID. Null when there is
 * none, even if another process has that number now.
 */
export async function findProcess(directory: string, uuid: string): Promise<ProcessIdentity | null> {
  const pid = Number((await readFile(join(directory, machineFiles.pid), 'latin1').catch(() => '')).trim());
  if (!Number.isSafeInteger(pid) || pid <= 1) return null;
  const stat = await readStat(pid);
  if (stat === null || stat.state === 'Z' || stat.state === 'X') return null;
  const args = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  const isOurs = args[args.indexOf('-uuid') + 1] === uuid && args.includes(machineFiles.pid);
  return isOurs ? { pid, startTicks: stat.startTicks } : null;
}

/** Memory of the process that is in RAM; null when it has exited. */
export async function readResidentBytes({ pid }: ProcessIdentity): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return found === undefined ? null : Number(found) * 1024;
}

export interface Launched {
  /** Resolves when QEMU has exited: its exit code or signal. */
  readonly ended: Promise<string>;
  /** Sends SIGKILL. Needed until QEMU has written its pid file, because nothing else can find the process. */
  readonly kill: () => void;
}

/**
 * Starts QEMU in a new session, so that signals to this process or its terminal do not reach it. QEMU inherits only
 * its log. `-daemonize` is not possible: the sandbox forbids new processes and would kill QEMU with SIGSYS.
 */
export function launch(command: readonly string[], directory: string): Launched {
  const [program = '', ...args] = command;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND;
  const log = openSync(join(directory, machineFiles.log), flags, 0o600);
  try {
    const child = spawn(program, args, {
      cwd: directory,
      env: plainEnvironment,
      detached: true,
      stdio: ['ignore', log, log],
    });
    child.unref();
    const ended = once(child, 'exit').then(
      ([code, signal]: (string | number | null)[]) => String(code ?? signal),
      (error: unknown) => String(error),
    );
    return { ended, kill: () => void child.kill('SIGKILL') };
  } finally {
    closeSync(log);
  }
}

/** Kills a process and waits for its exit. @returns false when it is still alive after the timeout */
export async function endProcess(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  if (await isAlive(identity)) signalQuietly(identity.pid);
  return waitForEnd(identity, timeoutMs);
}

export async function waitForEnd(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (await isAlive(identity)) {
    if (performance.now() > deadline) return false;
    await sleep(10);
  }
  return true;
}

function signalQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process exited between the check and the signal.
  }
}
