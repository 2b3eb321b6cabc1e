import type { CreateVmRequest, Firmware, VmNetwork } from '@wcc/api';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';
import type { Server } from '../../server/server.ts';
import { findServer } from '../../server/server.ts';
import { finish } from '../follow-or-detach.ts';
import type { ActionOptions } from '../options.ts';
import { count, memoryBytes, several, withAction } from '../options.ts';
import { newKey } from '../idempotency-key.ts';
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
  pool?: string;
  start: boolean;
}

const example = `
An empty disk and an installation from an ISO:
  wcc vm create web-07 --disk blank:20G --iso debian-13.iso
A copy of an image, larger than it, with a user who may log in:
  wcc vm create web-07 --disk image:debian-13.raw,size=40G --user admin --ssh-key ~/.ssh/id_ed25519.pub`;

export function addVmCreate(parent: Command, context: Context): void {
  const command = parent.command('create <name>').description('make a machine').addHelpText('after', example);
  withAction(command)
    .option('--cpus <n>', 'processors; 2 without this', count)
    .option('--memory <bytes>', 'memory, e.g. 512M or 4G; 2G without this', memoryBytes)
    .option(
      '--disk <disk>',
      'blank:SIZE or image:IMAGE[,size=SIZE]; the first one boots; again for more',
      several,
      [],
    )
    .option('--iso <image>', 'an ISO in the drive: booted while the disk is empty')
    .option('--network <network>', 'user, none, bridge:NAME or network:NAME; user without this')
    .addOption(new Option('--firmware <firmware>', 'bios without this').choices(['bios', 'uefi']))
    .option('--pool <pool>', 'pool of its disks')
    .option('--profile', 'first boot: your user and keys of the settings; --user replaces, --ssh-key adds')
    .option('--user <name>', 'first boot: a user who may become root')
    .option('--ssh-key <file>', 'first boot: public keys of that user; again for more', several, [])
    .option('--hostname <name>', 'first boot: host name, instead of the name of the machine')
    .option('--user-data <file>', 'first boot: user-data for cloud-init')
    .option('--password-file <file>', 'first boot: password of that user, or its hash; - is standard input')
    .option('--start', 'start it when it is ready; so it is without this', true)
    .option('--no-start', 'leave it off')
    .action(async (name: string, options: CreateOptions) => {
      const server = await findServer(context.env, options.url);
      const body = await readRequest(context, server, { name, options });
      await finish(context, server, { accepted: await server.api.createVm(body, newKey()), options });
    });
}

async function readRequest(
  context: Context,
  server: Server,
  { name, options }: { name: string; options: CreateOptions },
): Promise<CreateVmRequest> {
  const { cpus, memory, disk, iso, network, firmware, pool, start } = options;
  const wishes = disk.map(parseDisk);
  if (wishes.length === 0 && iso === undefined) {
    throw new CliError('usage', 'A machine needs a disk or an ISO.', { hint: 'See: wcc vm create --help' });
  }
  const wire = network === undefined ? undefined : parseNetwork(network);
  const firstBoot = await readFirstBoot(context, server, options);
  return {
    name,
    start,
    disks: await findDisks(server, { wishes, iso }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    ...(wire === undefined ? {} : { network: wire }),
    ...(firmware === undefined ? {} : { firmware }),
    ...(pool === undefined ? {} : { pool }),
    ...(firstBoot === undefined ? {} : { firstBoot }),
  };
}

function parseNetwork(text: string): VmNetwork {
  if (text === 'user' || text === 'none') return { kind: text, name: null };
  const [, kind, name] = /^(bridge|network):(.+)$/.exec(text) ?? [];
  if (name !== undefined && (kind === 'bridge' || kind === 'network')) return { kind, name };
  throw new CliError('usage', `"${text}" is no network.`, {
    code: 'invalid_network',
    hint: 'Use user, none, bridge:NAME or network:NAME.',
  });
}
