import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { download } from '../../download/download.ts';
import { assertTargetFile, defaultTargetFile } from '../../download/target-file.ts';
import { createDownloadProgress } from '../../download/download-progress.ts';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';
import { createProgressOutput } from '../../follow/progress-output.ts';
import { jsonDocument } from '../../output/json.ts';
import { escapeTerminal } from '@wcc/progress/terminal';
import { findImage } from '../../server/find-image.ts';
import { findServer } from '../../server/server.ts';
import type { ActionOptions } from '../options.ts';
import { addWatchOptions } from '../options.ts';

interface DownloadCommandOptions extends ActionOptions {
  force?: boolean;
}

/** Adds `wcc image download`. */
export function addImageDownload(parent: Command, context: Context): void {
  const command = parent
    .command('download <image> [file]')
    .description('download an image to a file; resumes an interrupted download');
  addWatchOptions(command)
    .option('--force', 'overwrite an existing file')
    .action(async (name: string, file: string | undefined, options: DownloadCommandOptions) => {
      const server = await findServer(context.env, options.url);
      const image = await findImage(server, name);
      const target = file ?? defaultTargetFile(image);
      if (target === '-') {
        throw new CliError('usage', 'A download needs a file, because it can be resumed.', {
          hint: 'Name a file. A file with the name "-" is "./-".',
        });
      }
      await assertTargetFile(target, { mayReplace: options.force === true });
      const output = createProgressOutput(context);
      const progress = createDownloadProgress(output, image.name);
      await download(context, server, {
        image,
        target,
        giveUpAfterMs: options.giveUpAfter,
        progress,
        report: (text) => {
          if (options.json !== true) output.print(text);
        },
      }).finally(() => output.clear());
      const { size: sizeBytes } = await stat(target);
      const result = { file: target, image: image.id, sizeBytes };
      context.stdout.write(
        options.json === true
          ? jsonDocument(result)
          : `${escapeTerminal(image.name)}: saved as ${escapeTerminal(target)}\n`,
      );
    });
}
