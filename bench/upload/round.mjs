import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { subjects } from './subjects.mjs';

const ticksPerSecond = 100;
const pageBytes = 4096;

/** Starts the server of one subject and sends one file to it. */
export async function runOnce(name, { home, file, sizeBytes, sha256 }) {
  mkdirSync(home);
  const server = await subjects[name](home);
  try {
    const { pid } = server.child;
    // A small file goes first, because the first request of a process loads code.
    await send(server, {
      name: 'warm.raw',
      file: file.small,
      sizeBytes: statSync(file.small).size,
      sha256: file.smallSha256,
    });
    const idleBytes = residentBytes(pid);
    const cpuBefore = cpuSeconds(pid);
    let peakBytes = idleBytes;
    const timer = setInterval(() => (peakBytes = Math.max(peakBytes, residentBytes(pid))), 20);
    const startedAt = performance.now();
    await send(server, { name: 'big.raw', file: file.big, sizeBytes, sha256 });
    const ms = performance.now() - startedAt;
    clearInterval(timer);
    const cpuS = cpuSeconds(pid) - cpuBefore;
    check(server.directory, sizeBytes);
    return { ms, cpuS, memoryBytes: peakBytes - idleBytes };
  } finally {
    const gone = once(server.child, 'exit');
    server.child.kill('SIGKILL');
    await gone;
    rmSync(home, { recursive: true });
  }
}

/** Sends with curl, so that all subjects have the same sender and the sender is not a bottleneck. */
export async function send(server, { name, file, sizeBytes, sha256 }) {
  const { url, headers } = await server.place({ name, sizeBytes, sha256 });
  const bytes =
    server.method === 'PATCH'
      ? { 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' }
      : {};
  const lines = Object.entries({ ...headers, ...bytes, expect: '' }).flatMap(([key, value]) => [
    '-H',
    `${key}: ${value}`,
  ]);
  const argv = ['-sS', '--fail-with-body', '-X', server.method, '-T', file, ...lines, url];
  const child = spawn('curl', argv, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`curl exited with ${code} for ${url}`);
}

function check(directory, sizeBytes) {
  const sizes = readdirSync(directory).map((name) => statSync(join(directory, name)).size);
  if (!sizes.includes(sizeBytes)) throw new Error(`no complete file in ${directory}`);
}

/** Processor time of all threads of a process, user and system. */
export function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function residentBytes(pid) {
  return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * pageBytes;
}
