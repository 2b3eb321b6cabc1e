import type { ImageFormat } from '@wcc/api';
import { createOperationId } from '@wcc/progress';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { admin, startDomain } from '../images/images.testkit.ts';
import type { DomainUnderTest } from '../images/images.testkit.ts';
import { createImportAction } from '../images/import/action.ts';
import { createImportContext } from '../images/import/context.ts';
import type { PublishInput } from '../images/publish/publishing-action.ts';
import type { Action, OperationView } from '../operations/action.ts';
import { createUploadAction } from './action.ts';
import type { UploadsContext } from './context.ts';

let domain: DomainUnderTest;

beforeEach(async () => {
  domain = await startDomain();
});
afterEach(async () => {
  await domain.close();
});

const disc = Buffer.alloc(65_536);
disc.write('CD001', 0x8001);

/** Registers a published file as a new process does, which knows nothing of the inspection before the crash. */
async function registerAfterCrash(
  kind: 'upload' | 'import',
  name: string,
  format: ImageFormat | null,
): Promise<readonly string[] | undefined> {
  const { context } = domain.images;
  const number = context.numbers.take();
  const input = { poolId: domain.poolId(), targetId: number.id, targetName: name, ownerId: admin.userId };
  const clock = { monotonicMs: () => 0 };
  const uploads = { images: context, scratch: new Map(), clock } as unknown as UploadsContext;
  const action: Pick<Action<PublishInput>, 'complete'> = kind === 'upload'
    ? createUploadAction(uploads)
    : createImportAction(
        context,
        createImportContext(() => true),
      );
  const operation = { id: createOperationId(), input: { ...input, sizeBytes: 65_536, sha256: null, format } };
  const completion = await action.complete(operation as unknown as OperationView<PublishInput>, null);
  await domain.store.write([number.statement, ...completion.statements]);
  return completion.warnings;
}

it.each(['upload', 'import'] as const)('F1: the name of an %s is judged after a crash', async (kind) => {
  await writeFile(join(domain.poolDir, 'none.iso'), Buffer.alloc(65_536, 1));
  expect(await registerAfterCrash(kind, 'none.iso', null)).toEqual(['content_is_no_disc']);
  expect((await domain.image('none.iso')).remarks).toEqual(['content_is_no_disc']);
});

it.each(['upload', 'import'] as const)(
  'the format that a person declared for an %s holds after a crash and after a scan',
  async (kind) => {
    await writeFile(join(domain.poolDir, 'as-disc'), Buffer.alloc(65_536));
    await writeFile(join(domain.poolDir, 'as-disk'), disc);
    await writeFile(join(domain.poolDir, 'by-content'), disc);
    await registerAfterCrash(kind, 'as-disc', 'iso');
    await registerAfterCrash(kind, 'as-disk', 'raw');
    await registerAfterCrash(kind, 'by-content', null);
    const formats = async (): Promise<(ImageFormat | null)[]> => {
      const names = ['as-disc', 'as-disk', 'by-content'];
      return Promise.all(names.map(async (name) => (await domain.image(name)).format));
    };
    expect(await formats()).toEqual(['iso', 'raw', 'iso']);
    for (const name of ['as-disc', 'as-disk', 'by-content']) await chmod(join(domain.poolDir, name), 0o600);
    await domain.rescan();
    expect(await formats()).toEqual(['iso', 'raw', 'iso']);
  },
);
