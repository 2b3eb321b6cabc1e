import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { adminToken, startTestServer } from '../server.testkit.ts';
import type { ServerUnderTest } from '../server.testkit.ts';

const MiB = 1024 ** 2;
/** More than the kernel buffers for a reader that pauses. */
const sizeBytes = 12 * MiB;
const downloads = 16;
const concurrent = 6;

interface Served {
  id: number;
  bytes: Buffer;
}

let server: ServerUnderTest;
let images: Served[];

beforeAll(async () => {
  server = await startTestServer();
  const contents = new Map(['a.raw', 'b.raw', 'c.raw'].map((name) => [name, contentOf()]));
  for (const [name, bytes] of contents) await writeFile(join(server.dataDir, 'images', name), bytes);
  const ask = (method: string, path: string): ReturnType<ServerUnderTest['ask']> =>
    server.ask(method, path, { bearer: adminToken });
  const [pool] = (await ask('GET', '/api/pools')).json['items'] as { id: string }[];
  await ask('POST', `/api/pools/${pool?.id}/rescan`);
  const listed = (await ask('GET', '/api/images')).json['items'] as { id: number; name: string }[];
  images = listed.map(({ id, name }) => ({ id, bytes: contents.get(name) ?? Buffer.alloc(0) }));
});
afterAll(async () => {
  await server.close();
});

/** Every 4 KiB differ from all others, of this and of other files. */
function contentOf(): Buffer {
  const bytes = Buffer.alloc(sizeBytes, randomBytes(4096));
  for (let at = 0; at < sizeBytes; at += 4096) bytes.writeUInt32LE(at, at);
  return bytes;
}

async function open(id: number): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${adminToken}` };
  const path = `/api/images/${id}/download`;
  const sent = httpRequest({ host: '127.0.0.1', port: server.port, path, headers, agent: false });
  // An abort is an error of the request as well as of its answer.
  sent.on('error', () => {});
  sent.end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return answer;
}

/** Reads with pauses and compares every byte. @returns the bytes that were right */
async function compare({ id, bytes }: Served, leaveAt: number): Promise<number> {
  const answer = await open(id);
  let [at, pausedAt] = [0, 0];
  for await (const part of answer) {
    const chunk = part as Buffer;
    if (!chunk.equals(bytes.subarray(at, at + chunk.length))) return -1;
    at += chunk.length;
    if (at >= leaveAt) {
      if (leaveAt % 2 === 0) answer.socket.resetAndDestroy();
      break;
    }
    if (at - pausedAt < 2 * MiB) continue;
    pausedAt = at;
    await sleep(10);
  }
  answer.destroy();
  return at;
}

it('E: no download gets bytes of another one while others are aborted', async () => {
  const results: { got: number; leaveAt: number }[] = [];
  let started = 0;
  const run = async (): Promise<void> => {
    while (started < downloads) {
      started += 1;
      const image = images[started % images.length];
      if (image === undefined) throw new Error('no image');
      const leaveAt =
        started % 2 === 0 ? Number.POSITIVE_INFINITY : 1 + Math.floor(Math.random() * sizeBytes);
      results.push({ got: await compare(image, leaveAt), leaveAt });
    }
  };
  await Promise.all(Array.from({ length: concurrent }, run));
  expect(results).toHaveLength(downloads);
  for (const { got, leaveAt } of results) {
    if (leaveAt === Number.POSITIVE_INFINITY) expect(got).toBe(sizeBytes);
    else expect(got).toBeGreaterThanOrEqual(Math.min(leaveAt, sizeBytes));
  }
});

/** Splits answers that came one after the other on one connection. */
function split(received: Buffer): { head: string; body: Buffer }[] {
  const answers: { head: string; body: Buffer }[] = [];
  for (let at = 0; at < received.length;) {
    const end = received.indexOf('\r\n\r\n', at);
    const head = received.toString('latin1', at, end);
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
    at = end + 4 + length;
    answers.push({ head, body: received.subarray(end + 4, at) });
  }
  return answers;
}

it('E: ranges of one image that a client asks for at once come in their order, with all their bytes', async () => {
  const [image] = images;
  if (image === undefined) throw new Error('no image');
  const ranges = Array.from({ length: 15 }, (_, index) => {
    const start = index * 700_001;
    return { start, end: Math.min(sizeBytes, start + 1 + index * 150_000) };
  });
  const requests = ranges.map(({ start, end }, index) =>
    [
      `GET /api/images/${image.id}/download HTTP/1.1`,
      `Host: 127.0.0.1:${server.port}`,
      `Authorization: Bearer ${adminToken}`,
      `Range: bytes=${start}-${end - 1}`,
      ...(index === ranges.length - 1 ? ['Connection: close'] : []),
      '\r\n',
    ].join('\r\n'),
  );
  const connection = connect(server.port, '127.0.0.1');
  connection.write(requests.join(''));
  const answers = split(Buffer.concat((await connection.toArray()) as Buffer[]));
  expect(answers.map(({ head }) => head.slice(0, 12))).toEqual(ranges.map(() => 'HTTP/1.1 206'));
  for (const [index, { start, end }] of ranges.entries())
    expect(answers[index]?.body.equals(image.bytes.subarray(start, end)), `${start}-${end}`).toBe(true);
});
