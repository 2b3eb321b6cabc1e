import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../../../scripts/generate-schema.mjs', import.meta.url));

it('the schema of a snapshot and its field tables on the protocol page equal the TypeScript type', async () => {
  const compared = promisify(execFile)(process.execPath, [script, '--check']);
  const complaint = await compared.then(
    () => '',
    (error: Error & { stderr: string }) => error.stderr,
  );
  expect(complaint).toBe('');
});
