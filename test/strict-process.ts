import { readdirSync, readlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll } from 'vitest';

/**
 * Set-up of every test file. A process warning fails the run, and so does a handle that the file leaves open.
 */
const warnings: string[] = [];
const noteWarning = (warning: Error): void => void warnings.push(`${warning.name}: ${warning.message}`);
process.on('warning', noteWarning);

/** Handles that keep a process alive. Ignores timers, because the test runner has timers of its own. */
const kinds = [
  'TCPServerWrap',
  'TCPSocketWrap',
  'PipeServerWrap',
  'ProcessWrap',
  'FSEventWrap',
  'FSReqCallback',
];

function openHandles(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => kinds.includes(kind));
}

/** Identifies each open socket by its ports and state. */
function describeSockets(): string[] {
  const { _getActiveHandles } = process as unknown as { _getActiveHandles: () => unknown[] };
  const sockets = _getActiveHandles.call(process).filter((handle) => handle instanceof Socket);
  return sockets.map(({ localPort, remotePort, readyState, destroyed, readableFlowing }) =>
    JSON.stringify({ localPort, remotePort, readyState, destroyed, readableFlowing }),
  );
}

/** Paths of open files and directories; empty where the system does not list them. */
function openFiles(): string[] {
  try {
    return readdirSync('/proc/self/fd').flatMap(pathOf);
  } catch {
    return [];
  }
}

function pathOf(descriptor: string): string[] {
  try {
    const path = readlinkSync(`/proc/self/fd/${descriptor}`);
    return /^\/(?!dev\/|proc\/)/.test(path) ? [path] : [];
  } catch {
    // Closed since the directory was read.
    return [];
  }
}

/** SQLite closes a database after its last statement, and Node warns of a file handle that was never closed. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

const atStart = openHandles().length;
const filesAtStart = openFiles();
const newFiles = (): string[] => openFiles().filter((path) => !filesAtStart.includes(path));

afterAll(async () => {
  const deadline = performance.now() + 10_000;
  const isOpen = (): boolean => openHandles().length > atStart || newFiles().length > 0;
  while (isOpen() && performance.now() < deadline) {
    if (newFiles().length > 0) collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const left = openHandles().slice(atStart);
  // The next file may run in the same process, with its own listener.
  process.off('warning', noteWarning);
  if (warnings.length > 0) throw new Error(`The process warned: ${warnings.join('; ')}`);
  if (left.length > 0)
    throw new Error(`Handles are left open: ${[...left, ...describeSockets()].join(', ')}`);
  const files = newFiles();
  if (files.length > 0) throw new Error(`Files are left open: ${files.join(', ')}`);
});
