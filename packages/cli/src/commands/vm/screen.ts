import type { Command } from 'commander';
import { Option } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { jsonDocument } from '../../output/json.ts';
import { isOn, vmStateText } from '../../output/machines.ts';
import { escapeTerminal } from '@wcc/progress/terminal';
import type { OwnVm } from '../../server/find-vm.ts';
import { findOwnVm } from '../../server/find-vm.ts';
import type { Server } from '../../server/server.ts';
import { findServer } from '../../server/server.ts';
import type { ActionOptions } from '../options.ts';
import { addWatchOptions } from '../options.ts';
import { openPage } from './open-page.ts';
import { saveScreenshot } from './screenshot.ts';
import { followSerial } from './serial.ts';

interface ScreenOptions extends ActionOptions {
  open?: boolean;
  screenshot?: string;
  force?: boolean;
  serial?: boolean;
}

/** Adds `wcc vm screen`. */
export function addVmScreen(parent: Command, context: Context): void {
  const command = parent
    .command('screen <machine>')
    .description('print the address of the screen page, save a screenshot, or follow the serial log');
  addWatchOptions(command)
    .option('--open', 'also open the page in the browser of this desktop')
    .addOption(new Option('--screenshot <file>', 'save a screenshot as PNG').conflicts('open'))
    .option('--force', 'overwrite an existing file')
    .addOption(
      new Option('--serial', 'follow the serial log until Ctrl-C').conflicts(['open', 'screenshot', 'json']),
    )
    .action(async (name: string, options: ScreenOptions) => {
      const server = await findServer(context.env, options.url);
      const machine = await findOwnVm(server, name);
      const { screenshot } = options;
      if (options.serial === true)
        return followSerial(context, server, { machine, giveUpAfterMs: options.giveUpAfter });
      if (screenshot === undefined) return printPage(context, server, { machine, options });
      const { force = false, json = false } = options;
      const sizeBytes = await saveScreenshot(server, machine, {
        file: screenshot,
        force,
        signal: context.interrupt,
      });
      const result = { vm: machine.id, file: screenshot, sizeBytes };
      const text = `${escapeTerminal(machine.name)}: saved as ${escapeTerminal(screenshot)}\n`;
      context.stdout.write(json ? jsonDocument(result) : text);
    });
}

/** Prints the address of the console page that shows the screen. */
async function printPage(
  context: Context,
  { origin }: Server,
  { machine, options }: { machine: OwnVm; options: ScreenOptions },
): Promise<void> {
  const { id, state, name } = machine;
  const url = `${origin}/machines/${id}`;
  const { json = false } = options;
  context.stdout.write(json ? jsonDocument({ vm: id, url, state }) : `${url}\n`);
  const note = whyNoScreen(machine);
  if (!json && note !== null) context.stderr.write(`${escapeTerminal(name)} ${note}\n`);
  if (options.open === true) await openPage(context, url);
}

/** Why the page shows no screen; null if it does. */
function whyNoScreen(machine: OwnVm): string | null {
  if (machine.may.screen) return null;
  if (isOn(machine)) return 'has a screen, but you may not see it.';
  return `is ${vmStateText(machine)} and has no screen now.`;
}
