import { randomBytes } from 'node:crypto';
import { readFile, truncate, appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MiB } from '../kit/images.ts';
import { listImages, expectNoOrphans, waitForState } from '../kit/operations.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, signIn } from '../kit/session.ts';
import { createTusClient, computeDigest, uploadId, metadataHeader, offsetType } from '../kit/tus.ts';
import type { TusClient } from '../kit/tus.ts';

/** Tests tus 1.0 and wcc's additions (docs/uploads.md) against a real server. */
let server: TestServer;
let tus: TusClient;
let number = 0;
const freshName = (): string => `image-${(number += 1)}.raw`;

beforeAll(async () => {
  server = await startServer({ args: ['--free-space-floor', '0', '--max-uploads-per-user', '60'] });
  tus = createTusClient(server.baseUrl, { authorization: `Bearer ${server.token}` });
});
afterAll(() => server.close());

const stored = (name: string): Promise<Buffer> => readFile(join(server.poolDir, name));

describe('the tus protocol', () => {
  it('answers OPTIONS with version, extensions and checksums, without credentials', async () => {
    const answer = await createTusClient(server.baseUrl, {}).request('OPTIONS', '/api/uploads');
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'tus-version': '1.0.0',
      'tus-extension': 'creation,creation-with-upload,expiration,checksum,termination',
      'tus-checksum-algorithm': 'sha1,md5,sha256',
      'tus-max-size': String(64 * 1024 ** 4),
    });
  });

  it('registers an upload of two requests as an equal image and leaves no hidden file', async () => {
    const bytes = randomBytes(3 * MiB + 17);
    const name = freshName();
    const path = await tus.create(name, bytes.length, { sha256: computeDigest(bytes).toString('hex') });
    const waiting = await server.api.operation(uploadId(path));
    expect(waiting).toMatchObject({ action: 'upload_image', subject: { kind: 'image', name } });
    expect((await tus.head(path)).headers).toMatchObject({
      'upload-offset': '0',
      'upload-length': String(bytes.length),
      'cache-control': 'no-store',
      'tus-resumable': '1.0.0',
    });
    const first = await tus.patch(path, 0, bytes.subarray(0, MiB));
    expect(first).toMatchObject({ status: 204, offset: MiB });
    expect(Date.parse(String(first.headers['upload-expires']))).toBeGreaterThan(Date.now() + 6 * 86_400_000);
    expect(await tus.patch(path, MiB, bytes.subarray(MiB))).toMatchObject({
      status: 204,
      offset: bytes.length,
    });
    expect((await stored(name)).equals(bytes)).toBe(true);
    const operation = await server.api.operation(uploadId(path));
    expect(operation).toMatchObject({ state: 'succeeded', error: null, warnings: [] });
    expect(operation.phases.map(({ name: phase }) => phase)).toEqual([
      'receive',
      'flush',
      'inspect',
      'publish',
    ]);
    expect((await listImages(server)).find((image) => image.name === name)).toMatchObject({
      id: operation.result?.id,
      format: 'raw',
      sizeBytes: bytes.length,
      sha256: computeDigest(bytes).toString('hex'),
    });
    // A client that lost the last answer gets the same answer.
    expect(await tus.head(path)).toMatchObject({ status: 200, offset: bytes.length });
    expect(await tus.patch(path, bytes.length, Buffer.alloc(0))).toMatchObject({
      status: 204,
      offset: bytes.length,
    });
    expect(await tus.patch(path, MiB, bytes.subarray(MiB))).toMatchObject({ status: 409 });
    await expectNoOrphans(server.poolDir);
  });

  it('accepts a file of one byte, and none of no byte', async () => {
    const name = freshName();
    await expect(tus.create(name, 0)).rejects.toThrow(/422.*not_an_image/);
    const path = await tus.create(name, 1);
    expect(await tus.patch(path, 0, Buffer.alloc(1, 7))).toMatchObject({ status: 204 });
    await waitForState(server, uploadId(path), { states: ['succeeded'] });
    expect(await tus.head(path)).toMatchObject({ status: 200, offset: 1 });
    expect((await stored(name)).length).toBe(1);
  });

  it('supports creation-with-upload, also with an overridden method', async () => {
    const bytes = randomBytes(100_000);
    const headers = (name: string): Record<string, string> => ({
      'upload-length': String(bytes.length),
      'upload-metadata': metadataHeader({ filename: name }),
      'content-type': offsetType,
    });
    const [whole, part] = [freshName(), freshName()];
    const all = await tus.request('POST', '/api/uploads', { headers: headers(whole), body: bytes });
    expect(all).toMatchObject({ status: 201, offset: bytes.length });
    const half = await tus.request('POST', '/api/uploads', {
      headers: headers(part),
      body: bytes.subarray(0, 60_000),
    });
    expect(half).toMatchObject({ status: 201, offset: 60_000 });
    const path = String(half.headers.location);
    const rest = await tus.request('POST', path, {
      headers: { 'x-http-method-override': 'PATCH', 'content-type': offsetType, 'upload-offset': '60000' },
      body: bytes.subarray(60_000),
    });
    expect(rest).toMatchObject({ status: 204, offset: bytes.length });
    expect((await stored(part)).equals(bytes)).toBe(true);
    // The header has no effect on other addresses.
    const elsewhere = { headers: { 'x-http-method-override': 'DELETE' } };
    expect((await tus.request('POST', '/api/images', elsewhere)).status).toBe(405);
  });

  it('accepts a correct checksum, and discards the whole request on a wrong one', async () => {
    const bytes = randomBytes(2 * MiB);
    const name = freshName();
    const path = await tus.create(name, bytes.length, { sha256: computeDigest(bytes).toString('hex') });
    const [head, tail] = [bytes.subarray(0, MiB), bytes.subarray(MiB)];
    const sum = (algorithm: string, of: Buffer): Record<string, string> => ({
      'upload-checksum': `${algorithm} ${computeDigest(of, algorithm).toString('base64')}`,
    });
    expect(await tus.with(sum('sha1', head)).patch(path, 0, head)).toMatchObject({
      status: 204,
      offset: MiB,
    });
    const wrong = await tus.with(sum('sha256', tail)).patch(path, MiB, randomBytes(MiB));
    expect(wrong).toMatchObject({ status: 460, code: 'checksum_mismatch' });
    expect((await tus.head(path)).offset).toBe(MiB);
    const crc = await tus.with({ 'upload-checksum': 'crc32 AAAAAA==' }).patch(path, MiB, tail);
    expect(crc.status).toBe(400);
    expect((await tus.with({ 'upload-checksum': 'md5 not-base64!' }).patch(path, MiB, tail)).status).toBe(
      400,
    );
    expect(await tus.with(sum('md5', tail)).patch(path, MiB, tail)).toMatchObject({
      status: 204,
      offset: bytes.length,
    });
    expect((await stored(name)).equals(bytes)).toBe(true);
  });

  it('DELETE ends the operation and releases name and space', async () => {
    const name = freshName();
    const path = await tus.create(name, MiB);
    await tus.patch(path, 0, randomBytes(1000));
    expect(await tus.request('DELETE', path)).toMatchObject({ status: 204 });
    expect((await server.api.operation(uploadId(path))).state).toBe('cancelled');
    expect(await tus.head(path)).toMatchObject({ status: 410, offset: null });
    expect(await tus.patch(path, 1000, randomBytes(10))).toMatchObject({ status: 410 });
    expect(await tus.request('DELETE', path)).toMatchObject({ status: 410 });
    await expectNoOrphans(server.poolDir);
    await tus.request('DELETE', await tus.create(name, 1));
  });
});

describe('refused uploads', () => {
  const creation = (headers: Record<string, string | undefined>): ReturnType<TusClient['request']> =>
    tus.request('POST', '/api/uploads', { headers });
  const named = (filename: string): string => metadataHeader({ filename });

  it.each([
    ['another version', { 'tus-resumable': '0.2.2', 'upload-length': '1' }, 412, 'tus_version'],
    ['no version', { 'tus-resumable': undefined, 'upload-length': '1' }, 412, 'tus_version'],
    ['no length', {}, 411, 'length_required'],
    ['F3: a deferred length', { 'upload-defer-length': '1' }, 400, 'length_unknown'],
    ['a negative length', { 'upload-length': '-1' }, 400, 'malformed_request'],
    ['a length with 16 digits', { 'upload-length': '9'.repeat(16) }, 400, 'malformed_request'],
    ['a length beyond the free space', { 'upload-length': '60000000000000' }, 507, 'no_space'],
    ['F29: a length beyond the limit', { 'upload-length': '9'.repeat(15) }, 413, 'payload_too_large'],
  ])('an upload with %s is refused', async (...[, headers, status, code]) => {
    const answer = await creation({ 'upload-metadata': named('refused.raw'), ...headers });
    expect(answer).toMatchObject({ status, code });
    if (status === 412) expect(answer.headers['tus-version']).toBe('1.0.0');
  });

  it.each([
    ['no metadata', undefined, 'filename_missing'],
    ['no name', metadataHeader({ name: 'x' }), 'filename_missing'],
    ['a value that is not base64', 'filename §§', 'malformed_request'],
    [
      'a value that is not UTF-8',
      `filename ${Buffer.from([0xff, 0xfe]).toString('base64')}`,
      'malformed_request',
    ],
    [
      'a repeated key',
      `${metadataHeader({ filename: 'a' })},${metadataHeader({ filename: 'b' })}`,
      'malformed_request',
    ],
    ['a relative path', metadataHeader({ filename: '../../etc/passwd' }), 'invalid_name'],
    ['an absolute path', metadataHeader({ filename: '/etc/passwd' }), 'invalid_name'],
    ['a hidden name', metadataHeader({ filename: '.wcc-pool' }), 'invalid_name'],
    ['a control character', metadataHeader({ filename: 'a\0b' }), 'invalid_name'],
    ['an invalid digest', metadataHeader({ filename: 'a.raw', sha256: 'abc' }), 'invalid_input'],
    ['an unknown format', metadataHeader({ filename: 'a.raw', format: 'vmdk' }), 'invalid_input'],
  ])('an upload whose metadata has %s is refused', async (_what, metadata, code) => {
    const headers = { 'upload-length': '1', 'upload-metadata': metadata };
    // Node sends headers in Latin-1 only, so the test writes the garbage as bytes.
    const answer = await creation(headers);
    expect(answer.code).toBe(code);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  });

  it('an upload under the name of an image or another upload is refused', async () => {
    const name = freshName();
    const path = await tus.create(name, 10);
    const again = { 'upload-length': '1', 'upload-metadata': named(name) };
    expect(await creation(again)).toMatchObject({ status: 409, code: 'exists' });
    await tus.patch(path, 0, randomBytes(10));
    expect(await creation(again)).toMatchObject({ status: 409, code: 'exists' });
  });

  it('a PATCH with a wrong offset or length is refused and changes nothing', async () => {
    const path = await tus.create(freshName(), 1000);
    await tus.patch(path, 0, randomBytes(400));
    expect(await tus.patch(path, 399, randomBytes(1))).toMatchObject({
      status: 409,
      code: 'offset_mismatch',
    });
    expect(await tus.patch(path, 401, randomBytes(1))).toMatchObject({
      status: 409,
      code: 'offset_mismatch',
    });
    expect(await tus.patch(path, 400, randomBytes(601))).toMatchObject({ status: 413 });
    const chunked = { 'content-length': undefined, 'transfer-encoding': 'chunked' };
    expect(await tus.with(chunked).patch(path, 400, randomBytes(601))).toMatchObject({ status: 413 });
    expect(await tus.with({ 'upload-offset': '-4' }).patch(path, 400, randomBytes(1))).toMatchObject({
      status: 400,
    });
    expect(await tus.with({ 'upload-offset': undefined }).patch(path, 400, randomBytes(1))).toMatchObject({
      status: 400,
    });
    expect(
      await tus.with({ 'content-type': 'application/octet-stream' }).patch(path, 400, randomBytes(1)),
    ).toMatchObject({
      status: 415,
    });
    expect((await tus.head(path)).offset).toBe(400);
    expect(await tus.request('DELETE', path)).toMatchObject({ status: 204 });
  });

  it('an upload that differs from its announced digest is refused and leaves no file', async () => {
    const bytes = randomBytes(5000);
    const sha256 = computeDigest(randomBytes(1)).toString('hex');
    const name = freshName();
    const path = await tus.create(name, bytes.length, { sha256 });
    expect(await tus.patch(path, 0, bytes)).toMatchObject({ status: 422, code: 'digest_mismatch' });
    // The second request gets the same answer.
    expect(await tus.patch(path, 0, bytes)).toMatchObject({ status: 422, code: 'digest_mismatch' });
    expect(await tus.head(path)).toMatchObject({ status: 410 });
    const other = await tus.create(name, bytes.length, { format: 'qcow2' });
    expect(await tus.patch(other, 0, bytes)).toMatchObject({ status: 422, code: 'unsupported_format' });
    await expectNoOrphans(server.poolDir);
  });

  it('an upload of a hostile image is refused under any name', async () => {
    const header = Buffer.alloc(65_536);
    header.write('QFI\xfb', 0, 'latin1');
    header.writeUInt32BE(2, 4);
    header.writeBigUInt64BE(512n, 8);
    header.writeUInt32BE(11, 16);
    header.writeUInt32BE(16, 20);
    header.writeBigUInt64BE(1_048_576n, 24);
    header.write('/etc/passwd', 512);
    const name = freshName();
    const path = await tus.create(name, header.length);
    expect(await tus.patch(path, 0, header)).toMatchObject({ status: 422, code: 'hostile_image' });
    expect((await server.api.operation(uploadId(path))).error?.code).toBe('hostile_image');
    expect((await listImages(server)).some((image) => image.name === name)).toBe(false);
    await expectNoOrphans(server.poolDir);
  });

  it('an upload looks nonexistent to other users', async () => {
    const user = await signIn(server, await createUser(server, 'ulla', 'operator'));
    const viewer = await signIn(server, await createUser(server, 'vera', 'viewer'));
    const theirs = createTusClient(server.baseUrl, { ...user.headers, origin: user.origin });
    const mine = await tus.create(freshName(), 10);
    const unknown = '/api/uploads/aaaaaaaaaaaaaaaaaaaaaaaaaa';
    for (const method of ['GET', 'HEAD', 'DELETE', 'PATCH']) {
      const headers = method === 'PATCH' ? { 'content-type': offsetType, 'upload-offset': '0' } : {};
      const [forbidden, missing] = [
        await theirs.request(method, mine, { headers }),
        await theirs.request(method, unknown, { headers }),
      ];
      expect(forbidden.status).toBe(404);
      expect(forbidden.text).toBe(missing.text);
    }
    await expect(
      createTusClient(server.baseUrl, { ...viewer.headers, origin: viewer.origin }).create('v.raw', 1),
    ).rejects.toThrow('403');
    // A cookie without the exact Origin is refused.
    const bare = createTusClient(server.baseUrl, user.headers);
    await expect(bare.create('x.raw', 1)).rejects.toThrow('403');
    const own = await theirs.create(freshName(), 10);
    const asHead = { headers: { 'x-http-method-override': 'DELETE' } };
    expect((await bare.request('POST', own, asHead)).status).toBe(403);
    expect((await theirs.request('DELETE', own)).status).toBe(204);
    await tus.request('DELETE', mine);
  });

  it('an upload beyond the limit of unfinished uploads per user is refused', async () => {
    const paths: string[] = [];
    let refused = '';
    for (let at = 0; at < 61 && refused === ''; at += 1) {
      const path = await tus
        .create(freshName(), 1)
        .catch((error: Error) => ((refused = error.message), null));
      if (path !== null) paths.push(path);
    }
    expect(refused).toContain('quota_exceeded');
    await Promise.all(paths.map((path) => tus.request('DELETE', path)));
  });
});

describe('clients that resume an upload', () => {
  it('a client finds its upload in the list and proves the file by samples', async () => {
    const bytes = randomBytes(MiB);
    const name = freshName();
    const path = await tus.create(name, bytes.length, { lastModified: '1700000000000' });
    await tus.patch(path, 0, bytes.subarray(0, 600_000));
    const listed = (await server.api.uploads()).items.find(({ id }) => id === uploadId(path));
    expect(listed).toMatchObject({
      name,
      sizeBytes: MiB,
      offsetBytes: 600_000,
      lastModified: 1_700_000_000_000,
    });
    expect(listed?.samples).toHaveLength(3);
    const claim = (of: Buffer) => ({
      sizeBytes: of.length,
      lastModified: null,
      samples: (listed?.samples ?? []).map((sample) => ({
        ...sample,
        sha256: computeDigest(
          of.subarray(sample.offsetBytes, sample.offsetBytes + sample.lengthBytes),
        ).toString('hex'),
      })),
    });
    expect(await server.api.matchUpload(uploadId(path), claim(bytes))).toEqual({ offsetBytes: 600_000 });
    const wrong = { code: 'wrong_file', status: 409 };
    await expect(server.api.matchUpload(uploadId(path), claim(randomBytes(MiB)))).rejects.toMatchObject(
      wrong,
    );
    await expect(
      server.api.matchUpload(uploadId(path), { ...claim(bytes), sizeBytes: 5 }),
    ).rejects.toMatchObject(wrong);
    await expect(
      server.api.matchUpload(uploadId(path), { ...claim(bytes), lastModified: 1 }),
    ).rejects.toMatchObject(wrong);
    await tus.patch(path, 600_000, bytes.subarray(600_000));
    expect((await stored(name)).equals(bytes)).toBe(true);
  });

  it('a paused upload accepts no byte, resumes later, and cannot be retried', async () => {
    const bytes = randomBytes(2000);
    const path = await tus.create(freshName(), bytes.length);
    await tus.patch(path, 0, bytes.subarray(0, 1000));
    expect((await server.api.pause(uploadId(path))).operation.state).toBe('paused');
    expect(await tus.patch(path, 1000, bytes.subarray(1000))).toMatchObject({
      status: 423,
      code: 'upload_locked',
    });
    await server.api.resume(uploadId(path));
    expect(await tus.patch(path, 1000, bytes.subarray(1000))).toMatchObject({ status: 204 });
    const other = await tus.create(freshName(), 10);
    await server.api.cancel(uploadId(other));
    await waitForState(server, uploadId(other), { states: ['cancelled'] });
    await expect(server.api.retry(uploadId(other))).rejects.toMatchObject({ code: 'invalid_state' });
  });

  it('an upload exists after a restart; the server reports lost bytes and cuts unacknowledged ones', async () => {
    const bytes = randomBytes(3 * MiB);
    const names = [freshName(), freshName(), freshName()];
    const [good, longer, shorter] = (await Promise.all(
      names.map((name) => tus.create(name, bytes.length, { sha256: computeDigest(bytes).toString('hex') })),
    )) as [string, string, string];
    for (const path of [good, longer, shorter]) await tus.patch(path, 0, bytes.subarray(0, MiB));
    await server.stop();
    await appendFile(join(server.poolDir, `.wcc-${uploadId(longer)}.partial`), randomBytes(5000));
    await truncate(join(server.poolDir, `.wcc-${uploadId(shorter)}.partial`), MiB - 1);
    await server.start();
    const operation = await server.api.operation(uploadId(good));
    expect(operation).toMatchObject({ state: 'interrupted', stateReason: { code: 'waiting_for_client' } });
    for (const path of [good, longer]) {
      expect(await tus.head(path)).toMatchObject({ status: 200, offset: MiB });
      expect(await tus.patch(path, MiB, bytes.subarray(MiB))).toMatchObject({ status: 204 });
    }
    for (const name of names.slice(0, 2)) expect((await stored(name)).equals(bytes)).toBe(true);
    expect(await tus.patch(shorter, MiB, bytes.subarray(MiB))).toMatchObject({
      status: 410,
      code: 'upload_gone',
    });
    expect((await server.api.operation(uploadId(shorter))).state).toBe('failed');
  });
});
