import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Upload } from 'tus-js-client';
import type { UploadOptions } from 'tus-js-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeWorkspace } from '../kit/directories.ts';
import type { Workspace } from '../kit/directories.ts';
import { MiB } from '../kit/images.ts';
import { waitForState } from '../kit/operations.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createTusClient, computeDigest, uploadId } from '../kit/tus.ts';

/** Unmodified tus clients of other projects. */
const run = promisify(execFile);
let server: TestServer;
let workspace: Workspace;

beforeAll(async () => {
  workspace = makeWorkspace('tus-clients');
  server = await startServer({ args: ['--free-space-floor', '0'] });
});
afterAll(async () => {
  await server.close();
  workspace.remove();
});

const stored = (name: string): Buffer => readFileSync(join(server.poolDir, name));

describe('tus-js-client', () => {
  const options = (name: string, bytes: Buffer): UploadOptions => ({
    endpoint: `${server.baseUrl}/api/uploads`,
    headers: { authorization: `Bearer ${server.token}` },
    metadata: { filename: name, sha256: computeDigest(bytes).toString('hex') },
    retryDelays: [100, 500, 1000],
    chunkSize: MiB,
  });

  /** Sends until the upload ends or `until` returns true. */
  async function send(
    bytes: Buffer,
    given: UploadOptions,
    until?: (sent: number) => boolean,
  ): Promise<Upload> {
    return new Promise((resolve, reject) => {
      const upload: Upload = new Upload(bytes, {
        ...given,
        onError: reject,
        onSuccess: () => resolve(upload),
        onChunkComplete(_size, accepted) {
          if (until?.(accepted) === true) void upload.abort().then(() => resolve(upload), reject);
        },
      });
      upload.start();
    });
  }

  it.each([
    ['in chunks', {}],
    ['in one request', { chunkSize: Infinity }],
    ['with the creation', { uploadDataDuringCreation: true }],
    ['with an overridden method', { overridePatchMethod: true }],
  ])('uploads a file %s', async (what, more) => {
    const bytes = randomBytes(3 * MiB + 5);
    const name = `js ${what}.raw`;
    await send(bytes, { ...options(name, bytes), ...more });
    expect(stored(name).equals(bytes)).toBe(true);
  });

  it.each([
    ['with their own metadata', { metadataForPartialUploads: { filename: 'js-parallel.raw' } }],
    ['without metadata', {}],
  ])(
    'F3: gets the advice to switch parallel uploads off, and leaves no half of a file, %s',
    async (_what, more) => {
      const bytes = randomBytes(2 * MiB);
      const given = { ...options('js-parallel.raw', bytes), parallelUploads: 2, ...more };
      await expect(send(bytes, given)).rejects.toThrow(/Switch parallel uploads off/);
      expect(existsSync(join(server.poolDir, 'js-parallel.raw'))).toBe(false);
      expect((await server.api.uploads()).items).toEqual([]);
    },
  );

  it('resumes an upload by its URL, learns that an empty file is refused, and terminates', async () => {
    const bytes = randomBytes(4 * MiB);
    const stopped = await send(bytes, options('js-resumed.raw', bytes), (sent) => sent >= 2 * MiB);
    expect(stopped.url).not.toBeNull();
    const { endpoint: _none, ...rest } = options('js-resumed.raw', bytes);
    await send(bytes, { ...rest, endpoint: null, uploadUrl: stopped.url });
    expect(stored('js-resumed.raw').equals(bytes)).toBe(true);
    const none = Buffer.alloc(0);
    await expect(send(none, options('js-empty.raw', none))).rejects.toThrow(/The file is empty/);
    const given = await send(bytes, options('js-given-up.raw', bytes), (sent) => sent >= MiB);
    await given.abort(true);
    await waitForState(server, uploadId(String(given.url)), { states: ['cancelled'] });
  });

  it('resumes an upload after the server is killed', async () => {
    const bytes = randomBytes(6 * MiB);
    // Passes the upload's URL, because with an endpoint this client starts a new upload when a HEAD fails.
    const tus = createTusClient(server.baseUrl, { authorization: `Bearer ${server.token}` });
    const uploadUrl = server.baseUrl + (await tus.create('js-killed.raw', bytes.length));
    const { endpoint: _none, ...rest } = options('js-killed.raw', bytes);
    const retryDelays = Array.from({ length: 120 }, () => 500);
    let kills = 0;
    await send(bytes, { ...rest, endpoint: null, uploadUrl, retryDelays }, (sent) => {
      if (sent < 2 * MiB || kills > 0) return false;
      kills += 1;
      void server.kill().then(() => server.start());
      return false;
    });
    expect(kills).toBe(1);
    expect(stored('js-killed.raw').equals(bytes)).toBe(true);
  });
});

describe('tuspy of Debian', () => {
  const program = `
import sys
from tusclient import client
base, token, path, name, stop = sys.argv[1:6]
tus = client.TusClient(base + '/api/uploads', headers={'Authorization': 'Bearer ' + token})
first = tus.uploader(path, chunk_size=500000, metadata={'filename': name}, upload_checksum=True)
first.upload(stop_at=int(stop))
print(first.url, flush=True)
second = tus.uploader(path, url=first.url, chunk_size=700000, upload_checksum=True)
print(second.offset, flush=True)
second.upload()
`;

  it('creates with checksums, stops, and resumes with a new client object', async () => {
    const bytes = randomBytes(3 * MiB);
    const file = join(workspace.path, 'file');
    writeFileSync(file, bytes);
    const call = [server.baseUrl, server.token, file, 'tuspy.raw', '1000000'];
    const { stdout } = await run('/usr/bin/python3', ['-c', program, ...call]);
    const [url = '', offset] = stdout.split('\n');
    expect(Number(offset)).toBe(1_000_000);
    expect(stored('tuspy.raw').equals(bytes)).toBe(true);
    const tus = createTusClient(server.baseUrl, { authorization: `Bearer ${server.token}` });
    expect(await tus.head(new URL(url).pathname)).toMatchObject({ status: 200, offset: bytes.length });
  });
});
