import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { download } from '../../download/download.ts';
import { createReport } from '../../download/download-progress.ts';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';
import { createShow } from '../../follow/progress-output.ts';
import { document } from '../../output/json.ts';
import { harmless } from '../../output/terminal.ts';
import { findImage } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import type { ActionOptions } from '../options.ts';
import { withWatching } from '../options.ts';

interface DownloadCommandOptions extends ActionOptions {
  force?: boolean;
}

export function addImageDownload(parent: Command, context: Context): void {
  const command = parent
    .command('download <image> [file]')
    .description('fetch an image into a file; goes on where an earlier try ended');
  withWatching(command)
    .option('--force', 'replace a file that is there')
    .action(async (name: string, file: string | undefined, options: DownloadCommandOptions) => {
      const server = await findServer(context.env, options.url);
      const image = await findImage(server, name);
      const target = file ?? image.name;
      if (options.force !== true && (await isThere(target))) {
        throw new CliError('local_file', `${target} is there already.`, {
          code: 'exists',
          hint: 'Give another file, or --force.',
        });
      }
      const show = createShow(context);
      const report = createReport(show, image.name);
      await download(context, server, { image, target, giveUpAfterMs: options.giveUpAfter, report }).finally(
        () => show.end(),
      );
      const { size: sizeBytes } = await stat(target);
      const told = { file: target, image: image.id, sizeBytes };
      context.stdout.write(
        options.json === true ? document(told) : `${harmless(image.name)}: saved as ${harmless(target)}\n`,
      );
    });
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
