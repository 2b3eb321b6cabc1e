import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { publishingAction } from '../publish/publishing-action.ts';
import type { PublishInput, PublishingAction } from '../publish/publishing-action.ts';
import { startWork } from '../../operations/work.ts';
import { startDomain } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';

let domain: DomainUnderTest;
beforeEach(async () => {
  domain = await startDomain();
});
afterEach(() => domain.close());

const hooks = { onPhase: () => {}, onWarning: () => {} };

it('D4: work that starts in a pool writes into it, whatever takes its path', async () => {
  const { poolDir, pools } = domain;
  const away = `${poolDir}-away`;
  const action = publishingAction(
    { pools } as unknown as Parameters<typeof publishingAction>[0],
    {
      // As if the pool was unmounted between the check of its marker and the first file.
      async start(_operation, { directory }) {
        await rename(poolDir, away);
        await mkdir(poolDir);
        return startWork(hooks, async () => {
          await writeFile(join(directory, 'written'), 'x');
          return {};
        });
      },
    } as Partial<PublishingAction<PublishInput>> as PublishingAction<PublishInput>,
  );
  const operation = { input: { poolId: domain.poolId() } } as Parameters<typeof action.start>[0];
  const work = await action.start(operation, hooks);
  await work.done;
  expect(await readdir(poolDir)).toEqual([]);
  expect(await readdir(away)).toContain('written');
  await rm(poolDir, { recursive: true });
  await rename(away, poolDir);
});
