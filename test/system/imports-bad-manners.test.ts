import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isTerminal } from '@wcc/progress';
import type { Operation } from '@wcc/api';
import { badManners, one, targets, two } from '../kit/network/bad-manners.ts';
import type { BadManner } from '../kit/network/bad-manners.ts';
import { startRawServer } from '../kit/network/raw-server.ts';
import type { RawServer } from '../kit/network/raw-server.ts';
import { expectNoOrphans } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { computeDigest } from '../kit/tus.ts';

/** `WCC_BAD_MANNERS=all` imports from every row. `test/kit/network/bad-manners.test.ts` fetches every row. */
const isFull = process.env['WCC_BAD_MANNERS'] === 'all';
const share = new Set([
  'ends the connection once',
  'F21: speaks HTTP/1.0 without a length',
  'F21: has no length, but the import has a digest',
  'F5: replaces the file and names no tag in the part',
  'changes bytes under the same tag',
  'announces a petabyte',
  'answers 404',
  'F23: asks to wait a second',
  'F23: asks to wait a day',
  'F13: calls the coding "none"',
  'F13: packs by gzip',
  'F14: redirects to a name in UTF-8',
  'F15: redirects to another mirror each time',
  'redirects to a private address',
]);
const rows = badManners.filter(({ name }) => isFull || share.has(name));

let server: TestServer;
let raw: RawServer;
let ends: Operation[];

beforeAll(async () => {
  raw = await startRawServer();
  server = await startServer({ args: ['--free-space-floor', '0', '--import-allow', '127.0.0.1'] });
  const started = await Promise.all(rows.map(start));
  const open = (): string[] => rows.filter((_, row) => !isTerminal(ends[row]!.state)).map(({ name }) => name);
  await until(
    async () => {
      ends = await Promise.all(started.map(({ id }) => server.api.operation(id)));
      return open().length === 0;
    },
    { what: () => `the end of ${open().join(', ')}`, timeoutMs: isFull ? 500_000 : 100_000, everyMs: 100 },
  );
}, 510_000);
afterAll(async () => {
  await Promise.all([server.close(), raw.close()]);
});

async function start({ answer, hasDigest }: BadManner, row: number): Promise<Operation> {
  const url = raw.serve(`/${row}`, answer);
  for (const [path, target] of Object.entries(targets)) raw.serve(`/${row}${path}`, target);
  const sha256 = hasDigest === true ? { sha256: computeDigest(one).toString('hex') } : {};
  return (await server.api.importImage({ url, name: `bad-${row}.raw`, ...sha256 })).operation;
}

describe('an import from a server that', () => {
  it.each(rows.map((manner, row) => [manner.name, { manner, row }] as const))(
    '%s',
    (_name, { manner, row }) => {
      const { state, error, warnings } = ends[row]!;
      if (manner.end instanceof RegExp) {
        expect([state, error?.message]).toEqual(['failed', expect.stringMatching(manner.end)]);
        return;
      }
      expect([state, error?.message]).toEqual(['succeeded', undefined]);
      const stored = readFileSync(join(server.poolDir, `bad-${row}.raw`));
      // One state as a whole, and never a part of the other.
      expect([stored.equals(one), stored.equals(two)]).toEqual([manner.end === 'one', manner.end === 'two']);
      expect(warnings).toEqual(manner.warnings ?? []);
    },
  );

  it('leaves no partial file behind, whatever the end', async () => {
    expect([rows.length >= share.size, badManners.length >= 60]).toEqual([true, true]);
    await expectNoOrphans(server.poolDir);
  });

  it('F15: the redirector is asked once while a mirror has more bytes', () => {
    const row = rows.findIndex(({ name }) => name.startsWith('F15: redirects to another mirror'));
    expect(raw.requestsFor(`/${row}`)).toBe(1);
  });
});
