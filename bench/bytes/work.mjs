import { execFile, execFileSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cpuSeconds, send } from '../upload/round.mjs';
import { create } from '../upload/subjects.mjs';
import { authorization } from './servers.mjs';

const run = promisify(execFile);
/** A hanging program ends the benchmark. */
const timeout = 120_000;

/** Milliseconds of work, and the processor time that a server needs for it. */
async function timed(child, work) {
  const before = child === null ? 0 : cpuSeconds(child.pid);
  const startedAt = performance.now();
  const ownMs = await work();
  const ms = ownMs ?? performance.now() - startedAt;
  return { ms, cpuS: child === null ? null : cpuSeconds(child.pid) - before };
}

/** curl receives from all servers, and measures without its own start. */
export function download(child, url, sizeBytes) {
  return timed(child, async () => {
    const argv = ['-sSk', '--fail', '-H', `authorization: ${authorization}`, '-o', '/dev/null'];
    const { stdout } = await run('curl', [...argv, '-w', '%{size_download} %{time_total}', url], { timeout });
    const [received, seconds] = stdout.split(' ').map(Number);
    if (received !== sizeBytes) throw new Error(`${url} sent ${received} bytes`);
    return seconds * 1000;
  });
}

/** Imports the file into the pool. The new image is removed outside the measured time. */
export async function importInto(server, url, sizeBytes) {
  const name = 'imported.raw';
  const sample = await timed(server.child, () => operate(server, '/api/images/import', { url, name }));
  await check(server, name, sizeBytes);
  return sample;
}

/** What a person would use instead of an import. */
export async function fetchAndSync(url, path) {
  const sample = await timed(null, async () => {
    await run('curl', ['-sS', '--fail', '-o', path, url], { timeout });
    await run('sync', [path], { timeout });
  });
  rmSync(path);
  return sample;
}

export async function convertIn(server) {
  const name = 'converted.qcow2';
  const body = { name, format: 'qcow2', compress: false };
  const sample = await timed(null, () => operate(server, `/api/images/${server.imageId}/convert`, body));
  await check(server, name, null);
  return sample;
}

export async function convertAndSync(source, path) {
  const sample = await timed(null, async () => {
    await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', source, path], { timeout });
    await run('sync', [path], { timeout });
  });
  rmSync(path);
  return sample;
}

export async function uploadTo(server, { file, sizeBytes }) {
  const name = 'uploaded.raw';
  const headers = { 'tus-resumable': '1.0.0', authorization };
  const place = async () => {
    const metadata = { filename: name };
    return { url: await create(`${server.base}/api/uploads`, { headers, metadata, sizeBytes }), headers };
  };
  const sample = await timed(server.child, () =>
    send({ method: 'PATCH', place }, { name, file, sizeBytes, sha256: null }),
  );
  await check(server, name, sizeBytes);
  return sample;
}

/** Starts an operation and follows it to its end. */
async function operate(server, path, body) {
  const accepted = await server.ask('POST', path, body);
  if (accepted.status >= 300) throw new Error(`${path}: ${accepted.status} ${accepted.text}`);
  await followed(server, accepted.json.operation.id);
}

/** The event stream ends with its operation. Questions in a loop would cost the server processor time. */
async function followed(server, id) {
  await new Promise((resolve, reject) => {
    const options = { headers: { authorization }, agent: false, timeout };
    const sent = request(`${server.base}/api/operations/${id}/events`, options, (answer) => {
      answer.resume();
      answer.on('end', resolve);
      answer.on('error', reject);
    });
    sent.on('timeout', () => sent.destroy(new Error(`${id} does not end`)));
    sent.on('error', reject);
    sent.end();
  });
  const { json } = await server.ask('GET', `/api/operations/${id}`);
  if (json.state !== 'succeeded') throw new Error(`${id} is ${json.state}: ${JSON.stringify(json.error)}`);
}

/** Checks the result by its length, and removes it. */
async function check(server, name, sizeBytes) {
  const { size } = statSync(join(server.pool, name));
  if (sizeBytes !== null && size !== sizeBytes) throw new Error(`${name} has ${size} bytes`);
  const { json } = await server.ask('GET', '/api/images');
  const image = json.items.find((each) => each.name === name);
  const deleted = await server.ask('DELETE', `/api/images/${image.id}`);
  if (deleted.status >= 300) throw new Error(`${name} is not deleted: ${deleted.text}`);
  await followed(server, deleted.json.operation.id);
  execFileSync('sync', { timeout });
}
