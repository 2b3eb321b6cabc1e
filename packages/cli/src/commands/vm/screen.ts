import type { Command } from 'commander';
import { Option } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { document } from '../../output/json.ts';
import { vmStateOf } from '../../output/machines.ts';
import { harmless } from '../../output/terminal.ts';
import type { OwnVm } from '../../server/find-vm.ts';
import { findOwnVm } from '../../server/find-vm.ts';
import type { Server } from '../../server/server.ts';
import { findServer } from '../../server/server.ts';
import type { ActionOptions } from '../options.ts';
import { withWatching } from '../options.ts';
import { openPage } from './open-page.ts';
import { saveScreenshot } from './screenshot.ts';
import { followSerial } from './serial.ts';

interface ScreenOptions extends ActionOptions {
  open?: boolean;
  screenshot?: string;
  force?: boolean;
  serial?: boolean;
}

export function addVmScreen(parent: Command, context: Context): void {
  const command = parent
    .command('screen <machine>')
    .description(
      'print the address of the page with its screen, save a picture of it, or follow its serial log',
    );
  withWatching(command)
    .option('--open', 'open that page in the browser of this desktop, too')
    .addOption(new Option('--screenshot <file>', 'save a picture of the screen (PNG)').conflicts('open'))
    .option('--force', 'replace a file that is there')
    .addOption(
      new Option('--serial', 'follow what it writes to its serial port, until Ctrl-C').conflicts([
        'open',
        'screenshot',
        'json',
      ]),
    )
    .action(async (name: string, options: ScreenOptions) => {
      const server = await findServer(context.env, options.url);
      const machine = await findOwnVm(server, name);
      const { screenshot } = options;
      if (options.serial === true)
        return followSerial(context, server, { machine, giveUpAfterMs: options.giveUpAfter });
      if (screenshot === undefined) return tellPage(context, server, { machine, options });
      const { force = false, json = false } = options;
      const sizeBytes = await saveScreenshot(server, machine, {
        file: screenshot,
        force,
        signal: context.interrupt,
      });
      const told = { vm: machine.id, file: screenshot, sizeBytes };
      const words = `${harmless(machine.name)}: saved as ${harmless(screenshot)}\n`;
      context.stdout.write(json ? document(told) : words);
    });
}

/** A terminal shows no pictures: the screen is in the console. */
async function tellPage(
  context: Context,
  { origin }: Server,
  { machine, options }: { machine: OwnVm; options: ScreenOptions },
): Promise<void> {
  const { id, state, name } = machine;
  const url = `${origin}/machines/${id}`;
  const { json = false } = options;
  context.stdout.write(json ? document({ vm: id, url, state }) : `${url}\n`);
  const note = noteOn(machine);
  if (!json && note !== null) context.stderr.write(`${harmless(name)} ${note}\n`);
  if (options.open === true) await openPage(context, url);
}

/** Why the page shows no screen. */
function noteOn(machine: OwnVm): string | null {
  const { state, may } = machine;
  if (may.screen) return null;
  if (state === 'running' || state === 'paused') return 'has a screen that you may not see.';
  return `is ${vmStateOf(machine)}: it has no screen now.`;
}
