import { basename } from 'node:path';
import { findImageNameProblem, imageFormats } from '@wcc/api';
import type { ImageFormat } from '@wcc/api';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';
import { findServer } from '../../server/server.ts';
import type { Server } from '../../server/server.ts';
import { assertImage } from '../../upload/assert-image.ts';
import { LocalFile } from '../../upload/local-file.ts';
import { withSpooledInput } from '../../upload/spool.ts';
import { upload } from '../../upload/upload.ts';
import { printResult } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { parseBytes, parseDigest, addWatchOptions } from '../options.ts';

interface UploadCommandOptions extends ActionOptions {
  name?: string;
  pool?: string;
  /** `true`: compute it from the local file. */
  sha256?: string | true;
  format?: ImageFormat;
  restart?: boolean;
  limit?: number;
}

/** Adds `wcc image upload`. */
export function addImageUpload(parent: Command, context: Context): void {
  const command = parent
    .command('upload <file>')
    .description(
      'upload a disk image or an ISO, also from standard input (-); resumes an interrupted upload',
    );
  addWatchOptions(command)
    .option('--name <name>', 'name of the image (default: the name of the file)')
    .option('--pool <pool>', 'pool for the image')
    .option('--sha256 [digest]', 'expected SHA-256; without a digest, that of the local file', parseDigest)
    .addOption(
      new Option('--format <format>', 'expected format; the server detects the real one').choices(
        imageFormats,
      ),
    )
    .option('--limit <bytes>', 'maximum bytes per second, e.g. 100M', parseBytes)
    .option('--restart', 'discard the data of an interrupted upload')
    .action(async (path: string, options: UploadCommandOptions) => {
      const isInput = path === '-';
      if (isInput && options.name === undefined)
        throw new CliError('usage', 'Standard input has no name.', {
          hint: 'Name the image with --name. A file with the name "-" is "./-".',
        });
      const name = options.name ?? basename(path);
      const problem = findImageNameProblem(name);
      if (problem !== null)
        throw new CliError('usage', `"${name}" is not a valid image name (${problem}).`, {
          code: 'invalid_name',
        });
      const server = await findServer(context.env, options.url);
      const uploadFile = (local: string): Promise<void> =>
        openAndSend(context, server, { path: local, name, options });
      await (isInput ? withSpooledInput(context, uploadFile) : uploadFile(path));
    });
}

async function openAndSend(
  context: Context,
  server: Server,
  { path, name, options }: { path: string; name: string; options: UploadCommandOptions },
): Promise<void> {
  const file = await LocalFile.open(path);
  try {
    await assertImage(file, options.format);
    await send(context, server, { file, name, options });
  } finally {
    await file.close();
  }
}

async function send(
  context: Context,
  server: Server,
  { file, name, options }: { file: LocalFile; name: string; options: UploadCommandOptions },
): Promise<void> {
  const { pool, format, sha256: wanted, restart = false, json = false, limit } = options;
  const sha256 = wanted === true ? await file.digest() : wanted;
  const target = { name, pool, sha256, format };
  const settings = { json, restart, giveUpAfterMs: options.giveUpAfter, bytesPerSecond: limit ?? null };
  const end = await upload(context, server, { file, target, ...settings });
  if (!json) printResult(context, end);
}
