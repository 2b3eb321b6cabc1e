import { afterAll } from 'vitest';

/**
 * Set-up of every test file. A process warning fails the run, and so does a handle that the file leaves open.
 */
const warnings: string[] = [];
process.on('warning', (warning) => warnings.push(`${warning.name}: ${warning.message}`));

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

const atStart = openHandles().length;

afterAll(async () => {
  const deadline = performance.now() + 10_000;
  while (openHandles().length > atStart && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const left = openHandles().slice(atStart);
  if (warnings.length > 0) throw new Error(`The process warned: ${warnings.join('; ')}`);
  if (left.length > 0) throw new Error(`Handles are left open: ${left.join(', ')}`);
});
