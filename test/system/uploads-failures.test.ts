import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ClientRequest } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFaultProxy } from '../kit/network/fault-proxy.ts';
import { MiB } from '../kit/images.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, signIn } from '../kit/session.ts';
import { readResponse, createTusClient, computeDigest } from '../kit/tus.ts';
import type { TusClient, TusResponse } from '../kit/tus.ts';

/** Failing uploads: networks, disks, other senders, revoked rights. */
const args = ['--free-space-floor', '0'];
/** `WCC_BLACK_HOLE_S=30` is the full length. `WCC_LONG_PATCH_S=320` is the length of one request. */
const blackHoleMs = Number(process.env['WCC_BLACK_HOLE_S'] ?? '3') * 1000;
const longPatchS = Number(process.env['WCC_LONG_PATCH_S'] ?? '0');

let server: TestServer;
let tus: TusClient;
beforeAll(async () => {
  server = await startServer({ args });
  tus = createTusClient(server.baseUrl, { authorization: `Bearer ${server.token}` });
});
afterAll(() => server.close());

const offsetOf = async (client: TusClient, path: string): Promise<number> =>
  (await client.head(path)).offset ?? -1;

/** Sends bytes up to 600,000 and keeps the request open. @returns null when it was refused */
async function tryToSend(
  client: TusClient,
  { path, bytes, from }: { path: string; bytes: Buffer; from: number },
): Promise<{ sending: ClientRequest; answer: Promise<TusResponse> } | null> {
  const sending = client.open(path, from, bytes.length - from);
  const answer = readResponse(sending);
  let refusal: TusResponse | null = null;
  answer.then(
    (early) => (refusal = early),
    () => {},
  );
  sending.write(bytes.subarray(from, 600_000));
  await until(async () => refusal !== null || (await offsetOf(client, path)) === 600_000, {
    what: 'a refusal, or the bytes to be durable',
  });
  if (refusal === null) return { sending, answer };
  expect(refusal).toMatchObject({ status: 423, code: 'upload_locked' });
  sending.destroy();
  return null;
}

describe('several senders of one upload', () => {
  it('the second of two senders is refused; a HEAD does not disturb the first', async () => {
    const bytes = randomBytes(MiB);
    const path = await tus.create('two-writers.raw', bytes.length);
    const first = tus.open(path, 0, bytes.length);
    const answer = readResponse(first);
    first.write(bytes.subarray(0, 500_000));
    // The first sender still sends single bytes, so it is alive.
    let at = 500_000;
    const feeding = setInterval(() => first.write(bytes.subarray(at, (at += 1))), 100);
    await until(async () => (await offsetOf(tus, path)) >= 500_000, {
      what: 'the first bytes to be durable',
    });
    const second = await tus.patch(path, 500_000, bytes.subarray(500_000));
    clearInterval(feeding);
    expect(second).toMatchObject({ status: 423, code: 'upload_locked' });
    first.end(bytes.subarray(at));
    expect(await answer).toMatchObject({ status: 204, offset: bytes.length });
    expect(readFileSync(join(server.poolDir, 'two-writers.raw')).equals(bytes)).toBe(true);
  });

  it('a client takes over its own dead connection', async () => {
    const bytes = randomBytes(MiB);
    const path = await tus.create('taken-over.raw', bytes.length);
    const dead = tus.open(path, 0, bytes.length);
    dead.write(bytes.subarray(0, 300_000));
    await until(async () => (await offsetOf(tus, path)) === 300_000, {
      what: 'the first bytes to be durable',
    });
    const answer = await until(
      async () => {
        const asked = await tus.patch(path, 300_000, bytes.subarray(300_000));
        return asked.status === 423 ? null : asked;
      },
      { what: 'the silent connection to lose the lock', everyMs: 200 },
    );
    expect(answer).toMatchObject({ status: 204, offset: bytes.length });
    dead.destroy();
    expect(readFileSync(join(server.poolDir, 'taken-over.raw')).equals(bytes)).toBe(true);
  });

  it('one of ten concurrent senders gets the lock and sends the whole file', async () => {
    const bodies = Array.from({ length: 10 }, () => randomBytes(300_000));
    const path = await tus.create('ten-writers.raw', 300_000);
    const answers = await Promise.all(bodies.map((body) => tus.patch(path, 0, body)));
    const winners = bodies.filter((_, at) => answers[at]?.status === 204);
    expect(winners).toHaveLength(1);
    for (const { status, code } of answers)
      if (status !== 204) expect(['upload_locked', 'offset_mismatch']).toContain(code);
    expect(readFileSync(join(server.poolDir, 'ten-writers.raw')).equals(winners[0]!)).toBe(true);
  });

  it('another session takes over after 10 s of silence, and late bytes are discarded', async () => {
    const user = await createUser(server, 'lena', 'operator');
    const [first, second] = await Promise.all(
      [1, 2].map(async () => {
        const { headers, origin } = await signIn(server, user);
        return createTusClient(server.baseUrl, { ...headers, origin });
      }),
    );
    const bytes = randomBytes(MiB);
    const path = await first!.create('two-sessions.raw', bytes.length);
    const silent = first!.open(path, 0, bytes.length);
    const silentAnswer = readResponse(silent);
    // The silent session sends late bytes after the server has refused its request.
    silent.once('response', () => silent.write(randomBytes(400_000)));
    const silentSince = performance.now();
    silent.write(bytes.subarray(0, 300_000));
    await until(async () => (await offsetOf(second!, path)) === 300_000, {
      what: 'the first bytes to be durable',
    });
    const { sending, answer } = await until(() => tryToSend(second!, { path, bytes, from: 300_000 }), {
      what: 'the silent session to lose the lock',
      everyMs: 500,
    });
    expect(performance.now() - silentSince).toBeGreaterThan(10_000);
    expect(await silentAnswer).toMatchObject({ status: 423, code: 'upload_locked' });
    sending.end(bytes.subarray(600_000));
    expect(await answer).toMatchObject({ status: 204, offset: bytes.length });
    expect(await first!.patch(path, 300_000, randomBytes(1000))).toMatchObject({ status: 409 });
    expect(readFileSync(join(server.poolDir, 'two-sessions.raw')).equals(bytes)).toBe(true);
  });

  it('fifty concurrent uploads with one sender each succeed', async () => {
    const all = Array.from({ length: 50 }, (_, at) => ({
      name: `many-${at}.raw`,
      bytes: randomBytes(300_000 + at),
    }));
    await Promise.all(
      all.map(async ({ name, bytes }) => {
        const path = await tus.create(name, bytes.length);
        const half = Math.floor(bytes.length / 2);
        expect(await tus.patch(path, 0, bytes.subarray(0, half))).toMatchObject({ status: 204 });
        expect(await tus.patch(path, half, bytes.subarray(half))).toMatchObject({ status: 204 });
      }),
    );
    for (const { name, bytes } of all)
      expect(readFileSync(join(server.poolDir, name)).equals(bytes)).toBe(true);
  });
});

it('sign-out stops an upload and keeps the received bytes', async () => {
  const session = await signIn(server, await createUser(server, 'otto', 'operator'));
  const theirs = createTusClient(server.baseUrl, { ...session.headers, origin: session.origin });
  const path = await theirs.create('revoked.raw', MiB);
  const sending = theirs.open(path, 0, MiB);
  const closed = new Promise((resolve) => sending.once('close', resolve));
  sending.write(randomBytes(200_000));
  await until(async () => (await offsetOf(theirs, path)) === 200_000, { what: 'the bytes to be durable' });
  const askedAt = performance.now();
  expect((await session.request('DELETE', '/api/session')).status).toBe(204);
  await closed;
  console.log(`closed ${Math.round(performance.now() - askedAt)} ms after the sign-out`);
  expect((await theirs.head(path)).status).toBe(401);
  expect(await offsetOf(tus, path)).toBe(200_000);
});

it('an upload resumes at its offset after a network dropped all packets', async () => {
  const bytes = randomBytes(8 * MiB);
  const proxy = await createFaultProxy(server.port);
  const through = createTusClient(`http://127.0.0.1:${proxy.port}`, {
    authorization: `Bearer ${server.token}`,
    host: new URL(server.baseUrl).host,
  });
  try {
    const path = await through.create('black-hole.raw', bytes.length, {
      sha256: computeDigest(bytes).toString('hex'),
    });
    const swallowed = through.open(path, 0, bytes.length);
    swallowed.write(bytes.subarray(0, 3 * MiB));
    await until(async () => (await offsetOf(tus, path)) === 3 * MiB, {
      what: 'the first bytes to be durable',
    });
    proxy.setMode('silent');
    await sleep(blackHoleMs);
    swallowed.destroy();
    proxy.setModeForNew('pass');
    const answer = await until(
      async () => {
        const at = await offsetOf(through, path);
        const asked = await through.patch(path, at, bytes.subarray(at));
        return asked.status === 204 ? asked : null;
      },
      { what: 'the upload to resume', everyMs: 200 },
    );
    expect(answer.offset).toBe(bytes.length);
    expect(readFileSync(join(server.poolDir, 'black-hole.raw')).equals(bytes)).toBe(true);
  } finally {
    await proxy.close();
  }
});

it.runIf(longPatchS > 0)(
  'one upload request may last longer than every time-out of Node',
  { timeout: 900_000 },
  async () => {
    const path = await tus.create('long.raw', longPatchS * 2);
    const sending = tus.open(path, 0, longPatchS * 2);
    const answer = readResponse(sending);
    for (let second = 0; second < longPatchS; second += 1) {
      sending.write(randomBytes(2));
      await sleep(1000);
    }
    sending.end();
    expect(await answer).toMatchObject({ status: 204, offset: longPatchS * 2 });
  },
);
