import { mkdtemp, open, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../runtime/context.ts';
import { CliError, onLocalFile } from '../runtime/errors.ts';
import { SparseFile } from '../runtime/sparse-file.ts';

/**
 * Copies standard input to a temporary file, because an upload needs a length, and must be able to read bytes again.
 * `use` gets its path; the file exists until that ends.
 *
 * @throws CliError `usage` for a terminal, `local_file`
 */
export async function withSpooledInput<T>(
  { env, stdin, interrupt }: Pick<Context, 'env' | 'stdin' | 'interrupt'>,
  use: (path: string) => Promise<T>,
): Promise<T> {
  if (stdin.isTTY === true)
    throw new CliError('usage', 'Standard input is a terminal.', {
      hint: 'Send the file to it: wcc image upload - --name NAME < FILE',
    });
  const { TMPDIR: chosen = '' } = env;
  // `/tmp` is often in memory. An empty value is none.
  const parent = chosen === '' ? '/var/tmp' : chosen;
  const directory = await onLocalFile(() => mkdtemp(join(parent, 'wcc-upload-')));
  try {
    const path = join(directory, 'input');
    await onLocalFile(() => spool(stdin, path, interrupt)).catch((error: unknown) => {
      interrupt.throwIfAborted();
      throw withHint(error);
    });
    // The same bytes resume an interrupted upload, whenever they come again.
    await onLocalFile(() => utimes(path, 0, 0));
    return await use(path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function spool(stdin: Context['stdin'], path: string, signal: AbortSignal): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  const stop = (): void => void stdin.destroy(new Error('interrupted'));
  signal.addEventListener('abort', stop);
  try {
    signal.throwIfAborted();
    const file = new SparseFile(handle, 0);
    for await (const piece of stdin as AsyncIterable<Buffer>) await file.append(piece);
    await handle.truncate(file.offset);
  } finally {
    signal.removeEventListener('abort', stop);
    await handle.close();
  }
}

function withHint(error: unknown): unknown {
  if (!(error instanceof CliError) || error.code !== 'ENOSPC') return error;
  const hint = 'Standard input is stored there until it is sent. Set TMPDIR to a directory with more space.';
  return new CliError('local_file', error.message, { code: error.code, hint, cause: error });
}
