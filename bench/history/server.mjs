import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../packages/server/bundle/main.js', import.meta.url));
const token = 'a-token-of-the-history-0123456789abcdef';
const ticksPerSecond = 100;

/** Starts a server on core 0. @returns it when it is ready, with the time that it took */
export async function startServer({ dataDir, poolDir }, port) {
  const settings = ['--port', port, '--data-dir', dataDir, '--pool', poolDir, '--free-space-floor', '0'];
  const startedAt = performance.now();
  const child = spawn('taskset', ['-c', '0', process.execPath, main, ...settings.map(String)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, WCC_ADMIN_TOKEN: token },
  });
  // Each copy has lines in the log, which are of no interest.
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (!/^\{"level":[1-4]0,/.test(line)) console.error(line);
  });
  const exited = once(child, 'exit');
  const origin = `http://127.0.0.1:${port}`;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended with exit code ${child.exitCode}`);
    const answer = await fetch(`${origin}/api/health`).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.ok) break;
    await sleep(10);
  }
  return {
    readyMs: performance.now() - startedAt,
    ask: (method, path, body) => ask(origin, { method, path, body }),
    cpuSeconds: () => cpuSeconds(child.pid),
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function ask(origin, { method, path, body }) {
  const init = { method, headers: { authorization: `Bearer ${token}` } };
  if (body !== undefined) {
    init.headers['content-type'] = 'application/json';
    init.body = JSON.stringify(body);
  }
  const answer = await fetch(`${origin}${path}`, init);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

/** Processor time of all threads of a process, user and system. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
