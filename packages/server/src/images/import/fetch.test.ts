import { create as createPartial, open as openPartial } from '@wcc/copy/receive';
import type { PartialFile } from '@wcc/copy/receive';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startWork } from '../../operations/work.ts';
import { fetchFile } from './fetch.ts';
import type { RemoteFile } from './validators.ts';

/** A file that one process starts to fetch and the next one resumes. */
const bytes = randomBytes(300_000);
let directory: string;
let server: Server;
let answered: number;
/** The durable state of the remote file. */
let noted: RemoteFile | null;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wcc-fetch-'));
  [answered, noted] = [0, null];
});
afterEach(async () => {
  server.close().closeAllConnections();
  await rm(directory, { recursive: true });
});

async function serve(answer: RequestListener): Promise<URL> {
  server = createServer((request, response) => {
    answered += 1;
    answer(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a.raw`);
}

async function open(): Promise<PartialFile> {
  const sizeBytes = Number.MAX_SAFE_INTEGER;
  const what = { directory, id: 'a'.repeat(26), tag: 'pool', targetName: 'a.raw', sizeBytes };
  return noted === null ? createPartial(what) : openPartial(what);
}

/** Fetches as a new process does, from the durable state. @returns the length */
async function fetchOnce(source: () => URL): Promise<number> {
  const file = await open();
  let sizeBytes = -1;
  const work = startWork({ onPhase: () => {}, onWarning: () => {} }, async (progress) => {
    sizeBytes = await fetchFile({
      judge: {},
      source,
      isAllowed: () => true,
      file,
      remote: noted,
      progress,
      note: (remote) => Promise.resolve(void (noted = remote)),
      maxBytes: 1024 ** 3,
      reserve: () => Promise.resolve(),
      onUnprovenEnd: () => {},
    });
    return {};
  });
  try {
    await work.done;
    return sizeBytes;
  } finally {
    await file.close();
  }
}

it.each([
  ['of announced length', { 'content-length': String(bytes.length) }],
  ['of unknown length', {}],
])('a file %s is not fetched again after a crash at its end', async (_, headers) => {
  const source = await serve((_request, response) => {
    response.writeHead(200, { etag: '"one"', ...headers }).write(bytes.subarray(0, 1000));
    response.end(bytes.subarray(1000));
  });
  expect(await fetchOnce(() => source)).toBe(bytes.length);
  expect(noted).toEqual({ validator: '"one"', totalBytes: bytes.length });
  const forgotten = (): URL => {
    throw new Error('The address had a query, and was not kept.');
  };
  expect(await fetchOnce(forgotten)).toBe(bytes.length);
  expect(answered).toBe(1);
  const [partial = ''] = (await readdir(directory)).filter((name) => name.endsWith('.partial'));
  expect((await readFile(join(directory, partial))).equals(bytes)).toBe(true);
});

it('an import of unknown length restarts from zero after a broken connection', async () => {
  const source = await serve((_request, response) => {
    response.writeHead(200, { etag: '"one"' }).write(bytes.subarray(0, 100_000));
    // Without the last chunk the file may be incomplete.
    if (answered === 1) setTimeout(() => response.destroy(), 50);
    else response.end(bytes.subarray(100_000));
  });
  expect(await fetchOnce(() => source)).toBe(bytes.length);
  expect(answered).toBeGreaterThan(1);
});
