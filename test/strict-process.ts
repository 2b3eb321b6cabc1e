import { Socket } from 'node:net';
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

const atStart = openHandles().length;

afterAll(async () => {
  const deadline = performance.now() + 10_000;
  while (openHandles().length > atStart && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const left = openHandles().slice(atStart);
  // The next file may run in the same process, with its own listener.
  process.off('warning', noteWarning);
  if (warnings.length > 0) throw new Error(`The process warned: ${warnings.join('; ')}`);
  if (left.length > 0)
    throw new Error(`Handles are left open: ${[...left, ...describeSockets()].join(', ')}`);
});
