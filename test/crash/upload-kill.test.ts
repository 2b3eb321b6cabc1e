import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MiB, sha256 } from '../kit/images.ts';
import { expectNoOrphans, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { createRandom, seedOfRun } from '../kit/random.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createTusClient, computeDigest, uploadId } from '../kit/tus.ts';
import type { TusClient } from '../kit/tus.ts';

/**
 * Kills the server by SIGKILL at random moments of an upload. The client requests the offset and resumes. It sends no
 * acknowledged byte again, and at most one sync interval of other bytes.
 */
const rounds = Math.ceil(Number.parseInt(process.env['WCC_CRASH_ROUNDS'] ?? '10', 10) / 2);
const random = createRandom(seedOfRun());
const syncIntervalBytes = 256 * MiB;
const sizeBytes = 96 * MiB;
const pieceBytes = 24 * MiB;

let server: TestServer;
let tus: TusClient;
const bytes = randomBytes(sizeBytes);
const sha = computeDigest(bytes).toString('hex');

beforeAll(async () => {
  console.log(`${rounds} rounds, WCC_SEED=${random.seed}`);
  server = await startServer({ args: ['--free-space-floor', '0'] });
  tus = createTusClient(server.baseUrl, { authorization: `Bearer ${server.token}` });
});
afterAll(() => server.close());

interface UploadCourse {
  acknowledged: number;
  sentUpTo: number;
  isDone: boolean;
}

/** Sends from the server's offset to the end of the file, or until the connection breaks. */
async function send(path: string, course: UploadCourse): Promise<void> {
  const { status, offset } = await tus.head(path);
  expect(status).toBe(200);
  const from = offset ?? -1;
  // The server keeps all acknowledged bytes, and loses at most one sync interval of the others.
  expect(from).toBeGreaterThanOrEqual(course.acknowledged);
  expect(course.sentUpTo - from).toBeLessThanOrEqual(syncIntervalBytes);
  course.acknowledged = from;
  while (course.acknowledged < sizeBytes) {
    const at = course.acknowledged;
    const end = Math.min(sizeBytes, at + pieceBytes);
    course.sentUpTo = Math.max(course.sentUpTo, end);
    const answer = await tus.patch(path, at, bytes.subarray(at, end));
    expect(answer).toMatchObject({ status: 204, offset: end });
    course.acknowledged = end;
  }
  course.isDone = true;
}

async function sendUntilKilled(path: string, course: UploadCourse): Promise<void> {
  await send(path, course).catch((error: unknown) => {
    // A broken connection is expected. A failed assertion about an answer is not.
    if (!(error instanceof Error && 'code' in error)) throw error;
  });
}

for (let round = 0; round < rounds; round += 1) {
  it(`an upload survives SIGKILL (round ${round})`, { timeout: 120_000 }, async () => {
    const name = `killed-${round}.raw`;
    const path = await tus.create(name, sizeBytes, { sha256: sha });
    const course: UploadCourse = { acknowledged: 0, sentUpTo: 0, isDone: false };
    const kills = random.integer(1, 3);
    for (let kill = 0; kill < kills && !course.isDone; kill += 1) {
      const sending = sendUntilKilled(path, course);
      await sleep(random.integer(0, 600));
      await server.kill();
      await sending;
      await server.start();
    }
    if (!course.isDone) {
      await until(async () => (await tus.head(path)).status === 200, {
        what: 'the server to find the upload again',
      });
      await send(path, course);
    }
    await waitForState(server, uploadId(path), { states: ['succeeded'] });
    expect(await sha256(join(server.poolDir, name))).toBe(sha);
    await expectNoOrphans(server.poolDir);
  });
}
