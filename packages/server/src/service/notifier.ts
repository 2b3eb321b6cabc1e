import { setTimeout as sleep } from 'node:timers/promises';
import { sendDatagram } from '@wcc/copy/datagram';
import type { OnError } from '@wcc/progress/server';

/** The fields of sd_notify(3) that wcc sends. */
export interface Notification {
  READY?: 1;
  RELOADING?: 1;
  STOPPING?: 1;
  WATCHDOG?: 1;
  STATUS?: string;
  MONOTONIC_USEC?: string;
  EXTEND_TIMEOUT_USEC?: string;
}

/** Sends in the order of the calls. Resolves when the message is sent or given up; never rejects. */
export type Notify = (notification: Notification) => Promise<void>;

/** A service manager that reads nothing for this long loses a message. */
const maxWaitMs = 5_000;
const retryMs = 20;

/** Without an address, it sends nothing. */
export function createNotifier(address: string | null, onError: OnError): Notify {
  if (address === null) return async () => {};
  let last: Promise<void> = Promise.resolve();
  return (notification) => {
    const text = messageOf(notification);
    last = last
      .then(() => sendPatiently(address, text))
      .catch((error: unknown) => onError(error, { stage: 'service: notify' }));
    return last;
  };
}

function messageOf(notification: Notification): string {
  // A line break would begin another field.
  const lines = Object.entries(notification).map(
    ([name, value]) => `${name}=${String(value).replaceAll(/\s+/g, ' ')}`,
  );
  return lines.join('\n');
}

async function sendPatiently(address: string, text: string): Promise<void> {
  const deadline = performance.now() + maxWaitMs;
  for (;;) {
    try {
      return sendDatagram(address, text);
    } catch (error) {
      const isFull = error instanceof Error && 'code' in error && error.code === 'EAGAIN';
      if (!isFull || performance.now() > deadline) throw error;
    }
    await sleep(retryMs);
  }
}
