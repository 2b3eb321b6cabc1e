import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { checkExit } from '../check.ts';
import { workerUrl } from '../thread.ts';

const lowPriority = 15;

/** `unknown`: the check failed or took too long. */
export interface CheckResult {
  state: 'sound' | 'damaged' | 'unknown';
  /** What is damaged; empty otherwise. */
  problem: string;
}

/**
 * Checks a database in another process, because it can be ended at any time, and because it must not delay the
 * database thread.
 */
export function startCheck(
  path: string,
  { limitMs }: { limitMs: number },
): { result: Promise<CheckResult>; stop: () => void } {
  const script = fileURLToPath(workerUrl('check-process'));
  const child = spawn(process.execPath, [script], {
    env: {},
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  let output = '';
  child.stdin.on('error', () => {}).end(path);
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const result = new Promise<CheckResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === checkExit.damaged) resolve({ state: 'damaged', problem: output.trim() });
      else resolve({ state: code === checkExit.sound ? 'sound' : 'unknown', problem: '' });
    });
  });
  try {
    if (child.pid !== undefined) setPriority(child.pid, lowPriority);
  } catch {
    // It has ended already.
  }
  return { result, stop: () => void child.kill('SIGKILL') };
}
