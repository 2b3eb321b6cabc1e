import { open } from 'node:fs/promises';
import { judgeContent } from '@wcc/api/content';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeWorkspace } from '../directories.ts';
import type { Workspace } from '../directories.ts';
import { makeCorpus } from './corpus.ts';
import type { Member, Verdict } from './member.ts';

let home: Workspace;
let members: Member[];

beforeAll(async () => {
  home = makeWorkspace('corpus');
  members = await makeCorpus(home.path);
}, 120_000);
afterAll(() => home.remove());

async function judge({ path }: Member): Promise<Verdict> {
  const file = await open(path);
  try {
    const { size: sizeBytes } = await file.stat();
    const read = async (offset: number, lengthBytes: number): Promise<Uint8Array> => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(lengthBytes), 0, lengthBytes, offset);
      return buffer.subarray(0, bytesRead);
    };
    const found = await judgeContent({ sizeBytes, read });
    return 'refusal' in found ? found.refusal.code : found.format;
  } finally {
    await file.close();
  }
}

it('F2, F11, F16, F18 to F22, F30: every file of the corpus gets its verdict', async () => {
  expect(members.length).toBeGreaterThanOrEqual(120);
  const found: [string, Verdict][] = [];
  for (const member of members) found.push([member.name, await judge(member)]);
  expect(found).toEqual(members.map(({ name, verdict }) => [name, verdict]));
});
