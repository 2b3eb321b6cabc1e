import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { LibvirtConnection } from './virsh.ts';
import { virshCommand, virshEnvironment } from './virsh.ts';

export interface EventFollower {
  close(): Promise<void>;
}

/** virsh exits after this time, so that it does not run long after a SIGKILL of this process. */
const roundS = 60;
const firstPauseMs = 500;
const longestPauseMs = 30_000;

/**
 * Follows `virsh event`. Each line is a hint. The first line arrives with the connection: earlier events were missed. The exit of virsh is
 * a hint too, because libvirtd may have died.
 */
export function followEvents(connection: LibvirtConnection, onHint: () => void): EventFollower {
  let child: ChildProcess | null = null;
  let timer: NodeJS.Timeout | null = null;
  let isClosed = false;
  let pauseMs = firstPauseMs;
  const restart = (): void => {
    child = null;
    if (isClosed) return;
    onHint();
    timer = setTimeout(begin, pauseMs).unref();
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  };
  const begin = (): void => {
    child = spawnEvents(connection, () => {
      pauseMs = firstPauseMs;
      onHint();
    });
    // Both events may arrive; the second must not end the next round.
    const ended = child;
    const end = (): void => {
      if (child === ended) restart();
    };
    child.on('error', end);
    child.on('close', end);
  };
  begin();
  return {
    async close() {
      isClosed = true;
      if (timer) clearTimeout(timer);
      const last = child;
      if (last === null || last.exitCode !== null || last.pid === undefined) return;
      const closed = once(last, 'close');
      last.kill('SIGKILL');
      await closed;
    },
  };
}

/** Starts an unreferenced process, which does not keep this process alive. */
function spawnEvents(connection: LibvirtConnection, onLine: () => void): ChildProcess {
  const [program, ...first] = virshCommand(connection);
  const args = [...first, `uri; event --all --loop --timestamp --timeout ${roundS}`];
  const child = spawn(program, args, {
    env: virshEnvironment(connection),
    cwd: '/',
    stdio: ['ignore', 'pipe', 'ignore'],
    ...connection.identity,
  });
  child.stdout.on('data', onLine);
  child.unref();
  (child.stdout as Socket).unref();
  return child;
}
