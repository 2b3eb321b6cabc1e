import type { CdBus, CreateVmRequest, Firmware, VmNetwork } from '@wcc/api';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';
import type { Server } from '../../server/server.ts';
import { findServer } from '../../server/server.ts';
import { followOrDetach } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { parseCount, parseMemoryBytes, collect, addActionOptions } from '../options.ts';
import { cdBusOption } from './cd-bus.ts';
import { createIdempotencyKey } from '../idempotency-key.ts';
import { findDisks, parseDisk } from './disks.ts';
import type { FirstBootOptions } from './first-boot.ts';
import { readFirstBoot } from './first-boot.ts';

interface CreateOptions extends ActionOptions, FirstBootOptions {
  cpus?: number;
  memory?: number;
  disk: string[];
  iso?: string;
  network?: string;
  firmware?: Firmware;
  cdBus?: CdBus;
  pool?: string;
  start?: boolean;
}

const examples = `
Examples:

Install from an ISO on an empty disk:
  wcc vm create web-07 --disk blank:20G --iso debian-13.iso
Use a larger copy of an image, with a user who can sign in:
  wcc vm create web-07 --disk image:debian-13.raw,size=40G --user admin --ssh-key ~/.ssh/id_ed25519.pub`;

/** Adds `wcc vm create`. */
export function addVmCreate(parent: Command, context: Context): void {
  const command = parent
    .command('create <name>')
    .description('create a machine')
    .addHelpText('after', examples);
  addActionOptions(command)
    .option('--cpus <n>', 'number of CPUs (default: 2)', parseCount)
    .option('--memory <bytes>', 'memory, e.g. 512M or 4G (default: 2G)', parseMemoryBytes)
    .addOption(
      new Option(
        '--disk <disk>',
        'new disk: blank:SIZE or image:IMAGE[,size=SIZE]; repeatable, the machine boots from the first disk',
      )
        .argParser(collect)
        .default([], 'none'),
    )
    .option(
      '--iso <image>',
      'ISO image in the CD drive; it boots while the disk is empty (default: empty drive)',
    )
    .option(
      '--network <network>',
      'user (outgoing connections only), none, bridge:NAME or network:NAME (default: user)',
    )
    .addOption(
      new Option('--firmware <firmware>', 'firmware that boots the machine (default: bios)').choices([
        'bios',
        'uefi',
      ]),
    )
    .addOption(cdBusOption())
    .option('--pool <pool>', 'pool for the disks');
  addFirstBootOptions(command)
    .option('--start', 'start when ready (default)')
    .option('--no-start', 'do not start')
    .action(async (name: string, options: CreateOptions) => {
      const server = await findServer(context.env, options.url);
      const body = await readRequest(context, server, { name, options });
      await followOrDetach(context, server, {
        accepted: await server.api.createVm(body, createIdempotencyKey()),
        options,
      });
    });
}

function addFirstBootOptions(command: Command): Command {
  return command
    .option(
      '--profile',
      'first boot: use the user and the keys of your profile; --user replaces the user, --ssh-key adds keys (default: no profile)',
    )
    .option('--user <name>', 'first boot: name of a user with root access')
    .addOption(
      new Option('--ssh-key <file>', 'first boot: public keys of that user; repeatable')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--hostname <name>', 'first boot: host name (default: made from the name of the machine)')
    .option('--user-data <file>', 'first boot: user-data file for cloud-init, may be compressed by gzip')
    .option(
      '--password-file <file>',
      'first boot: file with the password of that user, or with its hash; - reads standard input (default: no password)',
    );
}

async function readRequest(
  context: Context,
  server: Server,
  { name, options }: { name: string; options: CreateOptions },
): Promise<CreateVmRequest> {
  const { cpus, memory, disk, iso, network, firmware, cdBus, pool, start = true } = options;
  const diskSpecs = disk.map(parseDisk);
  if (diskSpecs.length === 0 && iso === undefined) {
    throw new CliError('usage', 'A machine needs a disk or an ISO.', { hint: 'See: wcc vm create --help' });
  }
  const vmNetwork = network === undefined ? undefined : parseNetwork(network);
  const firstBoot = await readFirstBoot(context, server, options);
  return {
    name,
    start,
    disks: await findDisks(server, { diskSpecs, iso }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    ...(vmNetwork === undefined ? {} : { network: vmNetwork }),
    ...(firmware === undefined ? {} : { firmware }),
    ...(cdBus === undefined ? {} : { cdBus }),
    ...(pool === undefined ? {} : { pool }),
    ...(firstBoot === undefined ? {} : { firstBoot }),
  };
}

function parseNetwork(text: string): VmNetwork {
  if (text === 'user' || text === 'none') return { kind: text, name: null };
  const [, kind, name] = /^(bridge|network):(.+)$/.exec(text) ?? [];
  if (name !== undefined && (kind === 'bridge' || kind === 'network')) return { kind, name };
  throw new CliError('usage', `"${text}" is not a valid network.`, {
    code: 'invalid_network',
    hint: 'Use user, none, bridge:NAME or network:NAME.',
  });
}
