import { writeTo } from './terminal-stream.ts';
import type { TerminalStream } from './terminal-stream.ts';

const hide = '\u001b[?25l';
const show = '\u001b[?25h';
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const hidden = new Set<TerminalStream>();

/** Hides the cursor of the stream until {@link showCursor}, a signal or the end of the process. */
export function hideCursor(stream: TerminalStream): void {
  if (hidden.has(stream)) return;
  if (hidden.size === 0) {
    process.on('exit', showAll);
    for (const signal of signals) process.on(signal, onSignal);
  }
  hidden.add(stream);
  writeTo(stream, hide);
}

export function showCursor(stream: TerminalStream): void {
  if (!hidden.delete(stream)) return;
  writeTo(stream, show);
  if (hidden.size > 0) return;
  process.off('exit', showAll);
  for (const signal of signals) process.off(signal, onSignal);
}

function showAll(): void {
  for (const stream of hidden) showCursor(stream);
}

/** A listener disables the default end of a process, so the signal is sent again if no one else listens. */
function onSignal(signal: NodeJS.Signals): void {
  showAll();
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}
