import { setTimeout as sleep } from 'node:timers/promises';
import type { Vm } from '@wcc/api';
import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';
import { jsonDocument } from '../../output/json.ts';
import { vmStateText } from '../../output/machines.ts';
import { escapeTerminal } from '@wcc/progress/terminal';
import type { OwnVm } from '../../server/find-vm.ts';
import { findOwnVm } from '../../server/find-vm.ts';
import type { Server } from '../../server/server.ts';
import { findServer } from '../../server/server.ts';
import type { ServerOptions } from '../options.ts';
import { parseDurationMs, addServerOptions } from '../options.ts';

interface StopOptions extends ServerOptions {
  force?: boolean;
  wait?: number;
}

const pollMs = 250;

/** Adds `wcc vm stop`. */
export function addVmStop(parent: Command, context: Context): void {
  const command = parent
    .command('stop <machine>')
    .description('press the power button of a machine; its system may ignore it');
  addServerOptions(command)
    .option('--force', 'cut the power at once; unsaved data is lost')
    .option('--wait <time>', 'wait until the machine is off, at most this time, e.g. 90s', parseDurationMs)
    .action(async (name: string, options: StopOptions) => {
      const server = await findServer(context.env, options.url);
      const found = await findOwnVm(server, name);
      const { force = false, wait } = options;
      const requested = await server.api.orderVm(found.id, force ? 'power-off' : 'shutdown');
      const machine =
        wait === undefined ? requested : await waitUntilOff(context, server, { found, waitMs: wait });
      const status = isOff(machine) ? vmStateText(machine) : 'asked to shut down';
      context.stdout.write(
        options.json === true ? jsonDocument(machine) : `${escapeTerminal(machine.name)}: ${status}\n`,
      );
    });
}

function isOff({ state }: Vm): boolean {
  return state === 'shut_off' || state === 'saved' || state === 'crashed';
}

/** @throws CliError `vm_running` if the machine is not off in time */
async function waitUntilOff(
  { interrupt }: Context,
  { api }: Server,
  { found, waitMs }: { found: OwnVm; waitMs: number },
): Promise<Vm> {
  const deadlineMs = performance.now() + waitMs;
  for (;;) {
    const machine = await api.vm(found.id);
    if (isOff(machine)) return machine;
    if (performance.now() > deadlineMs) {
      throw new CliError('failed', `"${found.name}" has not shut down yet.`, {
        code: 'vm_running',
        hint: `Its system may ignore the power button. Cut the power: wcc vm stop ${found.id} --force`,
      });
    }
    await sleep(pollMs, undefined, { signal: interrupt }).catch(() => {
      throw interrupt.reason;
    });
  }
}
