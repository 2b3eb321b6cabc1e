import { closeSync, openSync, utimesSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { copyPlan } from '@wcc/api';
import { support } from '@wcc/copy';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { adminToken, startTestServer } from '../../http/server.testkit.ts';
import type { ServerUnderTest } from '../../http/server.testkit.ts';
import { waitUntil } from '../../machines/hypervisor/wait.testkit.ts';

const page = Buffer.alloc(4096, 1);
const extents = 30_000;

/** `/api/images/{id}/copy-plan` of a file whose extents take long to count. */
describe.skipIf(!support().available)('D11: the forecast of a copy', { timeout: 60_000 }, () => {
  let path: string;
  let server: ServerUnderTest;
  const counts = watchCounts();
  const touch = (): void => utimesSync(path, 1, (times += 1));
  let times = 0;
  const plan = () => server.ask('GET', '/api/images/100/copy-plan?name=b.raw', { bearer: adminToken });

  beforeAll(async () => {
    server = await startTestServer({ freeSpaceFloor: { bytes: 0, fraction: 0 } });
    path = join(server.dataDir, 'images', 'fragmented.raw');
    const file = openSync(path, 'w');
    for (let index = 0; index < extents; index += 1) writeSync(file, page, 0, page.length, index * 8192);
    closeSync(file);
    const pools = await server.ask('GET', '/api/pools', { bearer: adminToken });
    const [pool] = pools.json['items'] as { id: string }[];
    await server.ask('POST', `/api/pools/${pool?.id}/rescan`, { bearer: adminToken });
  }, 60_000);
  beforeEach(() => Object.assign(counts, { begun: 0, parts: 0 }));
  afterAll(() => server.close());

  it('is counted once for each state of the file, for all who ask at one time', async () => {
    const many = await Promise.all(Array.from({ length: 30 }, plan));
    for (const { json } of many) expect(copyPlan.parse(json).dataBytes).toBe(extents * page.length);
    await plan();
    expect(counts.begun).toBe(1);
    touch();
    await plan();
    expect(counts.begun).toBe(2);
  });

  it('is no longer counted when the client goes away', async () => {
    await waitUntil('a forecast that is given up', async () => {
      touch();
      const { begun, parts } = counts;
      const socket = connect(server.port, '127.0.0.1').on('error', () => {});
      const lines = ['GET /api/images/100/copy-plan HTTP/1.1', `Host: 127.0.0.1:${server.port}`];
      socket.write([...lines, `Authorization: Bearer ${adminToken}`, '', ''].join('\r\n'));
      await waitUntil('the beginning', () => counts.parts > parts);
      socket.destroy();
      await plan();
      // The second one has begun again, because the first one has stopped without a result.
      return counts.begun === begun + 2;
    });
    expect(copyPlan.parse((await plan()).json).dataBytes).toBe(extents * page.length);
  });

  it('shows what a program has written since the last forecast', async () => {
    const file = openSync(path, 'r+');
    writeSync(file, page, 0, page.length, 4096);
    closeSync(file);
    expect(copyPlan.parse((await plan()).json).dataBytes).toBe((extents + 1) * page.length);
  });
});

interface InspectMessage {
  kind: string;
  options: { extents: string };
  from: object | null;
}

/** How often the engine began to count extents, and how many parts it counted, by its messages to threads. */
function watchCounts(): { begun: number; parts: number } {
  const seen = { begun: 0, parts: 0 };
  // oxlint-disable-next-line typescript/unbound-method -- called below with its worker
  const post = Worker.prototype.postMessage;
  vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function watch(
    this: Worker,
    ...args: Parameters<Worker['postMessage']>
  ) {
    const { kind, options, from } = args[0] as Partial<InspectMessage>;
    if (kind === 'inspect' && options?.extents === 'count') {
      seen.parts += 1;
      if (from === null) seen.begun += 1;
    }
    post.apply(this, args);
  });
  return seen;
}
