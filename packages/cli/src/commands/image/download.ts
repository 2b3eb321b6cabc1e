import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { download } from '../../download/download.ts';
import { downloadToOutput } from '../../download/stream.ts';
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
    .description('download an image to a file, or to standard output (-); resumes an interrupted download');
  addWatchOptions(command)
    .option('--force', 'overwrite an existing file')
    .action(async (name: string, file: string | undefined, options: DownloadCommandOptions) => {
      const server = await findServer(context.env, options.url);
      const image = await findImage(server, name);
      const target = file ?? defaultTargetFile(image);
      const isOutput = target === '-';
      if (isOutput) assertOutput(context, options);
      else await assertTargetFile(target, { mayReplace: options.force === true });
      const output = createProgressOutput(context);
      const settings = {
        image,
        giveUpAfterMs: options.giveUpAfter,
        progress: createDownloadProgress(output, image.name),
        report: (text: string): void => {
          if (options.json !== true) output.print(text);
        },
      };
      const work = isOutput
        ? downloadToOutput(context, server, settings)
        : download(context, server, { ...settings, target });
      await work.finally(() => output.clear());
      if (isOutput) return;
      const { size: sizeBytes } = await stat(target);
      const result = { file: target, image: image.id, sizeBytes };
      context.stdout.write(
        options.json === true
          ? jsonDocument(result)
          : `${escapeTerminal(image.name)}: saved as ${escapeTerminal(target)}\n`,
      );
    });
}

/** Only bytes of the image may be on standard output, and a terminal would take them for commands. */
function assertOutput({ stdout }: Context, { json }: DownloadCommandOptions): void {
  const hint = 'Send it to a program or a file. A file with the name "-" is "./-".';
  if (stdout.isTTY === true) throw new CliError('usage', 'Standard output is a terminal.', { hint });
  if (json === true)
    throw new CliError('usage', 'With "-", standard output has the image and no room for JSON.', { hint });
}
