import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectUnix } from './unix-socket.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wcc-unix-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** Listens with a queue of one connection, as QEMU does, and accepts nothing for half a second. */
const busyProgram = `
  const server = require('node:net').createServer();
  server.listen({ path: process.argv[2], backlog: 1 }, () => {
    process.send('listening', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500));
  });
`;

it('connectUnix waits while the queue of connections is full', async () => {
  const [program, path] = [join(directory, 'busy.cjs'), join(directory, 'busy.sock')];
  await writeFile(program, busyProgram);
  const child = fork(program, [path]);
  await once(child, 'message');
  const sockets = await Promise.all(Array.from({ length: 8 }, () => connectUnix(path)));
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual(sockets.map(() => false));
  for (const socket of sockets) socket.destroy();
  child.kill();
  await once(child, 'exit');
});

it('connectUnix reports no answer where nothing listens', async () => {
  await expect(connectUnix(join(directory, 'absent.sock'))).rejects.toMatchObject({ code: 'no_answer' });
});
