import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { fetchHead } from './fetch-head.ts';

/** Node looks names up on these threads. */
const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? '4');

it('SM6: a cancelled import does not wait for a name server that never answers', async () => {
  const home = await mkdtemp(join(tmpdir(), 'wcc-lookup-'));
  const fifo = join(home, 'fifo');
  execFileSync('mkfifo', [fifo]);
  // The opening of a FIFO waits for its writer: the look-up gets no thread, as if no name server answered.
  const blocked = Array.from({ length: threads }, () => open(fifo, 'r'));
  try {
    await sleep(50);
    const cancel = new AbortController();
    const options = { isAllowed: () => true, from: null, signal: cancel.signal };
    const asked = fetchHead(new URL('http://localhost:9/disk.raw'), options).catch((error: unknown) => error);
    await sleep(50);
    const startedMs = performance.now();
    cancel.abort(new Error('cancelled'));
    const ended = await Promise.race([asked, sleep(2000, 'hangs')]);
    expect(ended).toMatchObject({ message: 'cancelled' });
    expect(performance.now() - startedMs).toBeLessThan(1000);
  } finally {
    const writer = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    for (const file of await Promise.all(blocked)) await file.close();
    closeSync(writer);
    await rm(home, { recursive: true });
  }
});
