import { imageFormats } from '@wcc/api';
import type { ImageFormat } from '@wcc/api';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';
import { findServer } from '../../server/server.ts';
import type { Server } from '../../server/server.ts';
import { followOrDetach } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { parseDigest, addActionOptions } from '../options.ts';
import { createIdempotencyKey } from '../idempotency-key.ts';

interface ImportOptions extends ActionOptions {
  name?: string;
  pool?: string;
  sha256?: string;
  format?: ImageFormat;
}

/** Adds `wcc image import`. */
export function addImageImport(parent: Command, context: Context): void {
  addActionOptions(parent.command('import <url>').description('let the server download an image from a URL'))
    .option('--name <name>', 'name of the image (default: as the other server names the file)')
    .option('--pool <pool>', 'pool for the image')
    .option('--sha256 <digest>', 'expected SHA-256; a file with another one is rejected', parseDigest)
    .addOption(
      new Option('--format <format>', 'expected format; the server detects the real one').choices(
        imageFormats,
      ),
    )
    .action(async (address: string, options: ImportOptions) => {
      const server = await findServer(context.env, options.url);
      const { pool, sha256, format } = options;
      const body = {
        url: address,
        name: options.name ?? (await nameOf(server, address)),
        ...(pool === undefined ? {} : { pool }),
        ...(sha256 === undefined ? {} : { sha256 }),
        ...(format === undefined ? {} : { format }),
      };
      await followOrDetach(context, server, {
        accepted: await server.api.importImage(body, createIdempotencyKey()),
        options,
      });
    });
}

/** Asks for the name that the other server gives its file. Its first bytes can show that the import would fail. */
async function nameOf({ api }: Server, address: string): Promise<string> {
  const { name, refusal } = await api.importFacts(address);
  if (refusal !== null) throw new CliError('failed', refusal.message, refusal);
  if (name !== null) return name;
  throw new CliError('usage', 'The other server names no file.', { hint: 'Name the image with --name.' });
}
