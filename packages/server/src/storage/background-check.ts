import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { OnError } from '@wcc/progress/server';
import { checkExit, isSmall } from './check.ts';
import { StoreError } from './errors.ts';
import { workerUrl } from './thread.ts';

/** A check that takes longer ends without an answer. */
const maxMs = 10 * 60_000;
const lowPriority = 15;

export interface BackgroundCheck {
  isDamaged(): boolean;
  close(): void;
}

/**
 * Checks a database that is too large for a check at the start. Another process does it, because it can be ended at any
 * time, and because it must not delay the database thread.
 */
export function checkInBackground(path: string, onError: OnError): BackgroundCheck {
  if (isSmall(path)) return { isDamaged: () => false, close: () => {} };
  let isDamaged = false;
  let output = '';
  const script = fileURLToPath(workerUrl('check-process'));
  const child = spawn(process.execPath, [script], {
    env: {},
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: maxMs,
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => {}).end(path);
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.on('error', (error) => onError(error, { stage: 'storage: check' }));
  child.on('close', (code) => {
    if (code !== checkExit.damaged) return;
    isDamaged = true;
    onError(new StoreError('store_damaged', { message: output.trim() }), { stage: 'storage: check' });
  });
  try {
    if (child.pid !== undefined) setPriority(child.pid, lowPriority);
  } catch {
    // It has ended already.
  }
  return { isDamaged: () => isDamaged, close: () => void child.kill('SIGKILL') };
}
