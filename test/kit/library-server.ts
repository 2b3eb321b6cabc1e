import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OperationState, Snapshot } from '@wcc/progress';
import { makeWorkspace } from './directories.ts';
import { findFreePort } from './network/ports.ts';
import { until } from './poll.ts';

/** A process with a server of `@wcc/progress` that is not wcc. Its operations survive the process. */
export interface LibraryServer {
  readonly port: number;
  readonly token: string;
  /** Begins or changes an operation of 100 steps. */
  put(id: string, changes: { state: OperationState; done?: number }): Promise<void>;
  get(id: string): Promise<Snapshot | null>;
  /** Ends the process and starts another one on the same port. */
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  close(): Promise<void>;
}

export async function startLibraryServer(): Promise<LibraryServer> {
  const workspace = makeWorkspace('library');
  const file = join(workspace.path, 'operations.json');
  writeFileSync(file, '[]');
  const [port, token] = [await findFreePort(), randomBytes(24).toString('hex')];
  const headers = { authorization: `Bearer ${token}` };
  const ask = async (id: string, init: RequestInit = {}): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${port}/operations/${id}`, { ...init, headers });
    if (!answer.ok) throw new Error(`${id}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    const script = fileURLToPath(new URL('library-server.mjs', import.meta.url));
    child = spawn(process.execPath, [script, String(port), file, token], { stdio: 'inherit' });
    await until(
      () =>
        ask('none').then(
          () => true,
          () => child.exitCode !== null,
        ),
      { what: 'the library server' },
    );
    if (child.exitCode !== null) throw new Error('The library server ended early.');
  };
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  await start();
  return {
    port,
    token,
    put: async (id, changes) => void (await ask(id, { method: 'POST', body: JSON.stringify(changes) })),
    get: async (id) => (await ask(id)) as Snapshot | null,
    restart: async (signal) => {
      await end(signal);
      await start();
    },
    close: async () => {
      await end('SIGKILL');
      workspace.remove();
    },
  };
}
