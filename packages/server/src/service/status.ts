import type { Hub } from '@wcc/progress/server';
import { isTerminal } from '@wcc/progress';
import type { Store } from '../storage/store.ts';

/** One line for `systemctl status`: where the server is, its operations, and what the database cannot do. */
export function describeStatus(url: string, { hub, store }: { hub: Hub; store: Store }): string {
  const states = Array.from(hub.list(), ({ state }) => state);
  const unfinished = states.filter((state) => !isTerminal(state));
  const running = unfinished.filter((state) => state === 'running').length;
  const waiting = unfinished.length - running;
  const parts = [`Ready at ${url}`, `operations: ${running} running, ${waiting} waiting`, trouble(store)];
  return parts.filter((part) => part !== null).join('; ');
}

function trouble(store: Store): string | null {
  const { isOpen, isDamaged, heldBatches, failure } = store.status();
  if (!isOpen) return 'the database is away';
  if (isDamaged) return 'the database is damaged';
  if (heldBatches > 0) return 'the disk of the database is full';
  return failure === null ? null : `the database cannot write (${failure})`;
}
