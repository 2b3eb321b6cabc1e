import { create as createPartial, partialPath } from '@wcc/copy/receive';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { badManners, one, targets, two } from './bad-manners.ts';
import type { BadManner } from './bad-manners.ts';
import { startRawServer } from './raw-server.ts';
import type { RawServer } from './raw-server.ts';
import { startWork } from '../../../packages/server/src/operations/work.ts';
import { fetchFile } from '../../../packages/server/src/images/import/fetch.ts';

/** Every row of the table, by the code that fetches; `test/system/imports-bad-manners` sends them through all of wcc. */
let raw: RawServer;
let directory: string;

beforeAll(async () => {
  raw = await startRawServer();
  directory = await mkdtemp(join(tmpdir(), 'wcc-manners-'));
});
afterAll(async () => {
  await raw.close();
  await rm(directory, { recursive: true });
});

interface End {
  bytes: Buffer;
  message: string | null;
  isEndProven: boolean;
}

async function fetchRow({ answer }: BadManner, row: number): Promise<End> {
  const url = raw.serve(`/${row}`, answer);
  for (const [path, target] of Object.entries(targets)) raw.serve(`/${row}${path}`, target);
  const id = String(row).padStart(26, 'a');
  const sizeBytes = Number.MAX_SAFE_INTEGER;
  const file = await createPartial({ directory, id, tag: 'pool', targetName: `${row}.raw`, sizeBytes });
  let isEndProven = true;
  const work = startWork({ onPhase: () => {}, onWarning: () => {} }, async (progress) => {
    await fetchFile({
      source: () => new URL(url),
      isAllowed: (address) => address === '127.0.0.1',
      file,
      remote: null,
      progress,
      // As long as a busy disk needs: a connection may break before its first byte is read.
      note: () => new Promise((resolve) => void setTimeout(resolve, 30)),
      maxBytes: 1024 ** 4,
      reserve: () => Promise.resolve(),
      onUnprovenEnd: () => (isEndProven = false),
      firstPauseMs: 1,
    });
    return {};
  });
  try {
    await work.done;
    return { bytes: await readFile(partialPath(directory, id)), message: null, isEndProven };
  } catch (failure) {
    const { error } = failure as { error: { message: string } };
    return { bytes: Buffer.alloc(0), message: error.message, isEndProven };
  } finally {
    await file.close();
  }
}

describe('a file from a server that', () => {
  it.concurrent.each(badManners.map((manner, row) => [manner.name, { manner, row }] as const))(
    '%s',
    async (_name, { manner, row }) => {
      const { bytes, message, isEndProven } = await fetchRow(manner, row);
      const { end, hasDigest = false } = manner;
      // A wrong digest is found after the last byte.
      if (end instanceof RegExp && hasDigest) expect(bytes.equals(one)).toBe(false);
      else if (end instanceof RegExp) expect(message).toMatch(end);
      else {
        expect([message, bytes.equals(one), bytes.equals(two)]).toEqual([null, end === 'one', end === 'two']);
        expect(isEndProven).toBe(!hasDigest && manner.warnings === undefined);
      }
    },
  );
});
