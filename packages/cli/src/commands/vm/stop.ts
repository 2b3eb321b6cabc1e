import { setTimeout as sleep } from 'node:timers/promises';
import type { Vm } from '@wcc/api';
import type { Command } from 'commander';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';
import { document } from '../../output/json.ts';
import { vmStateOf } from '../../output/machines.ts';
import { harmless } from '../../output/terminal.ts';
import type { OwnVm } from '../../server/find-vm.ts';
import { findOwnVm } from '../../server/find-vm.ts';
import type { Server } from '../../server/server.ts';
import { findServer } from '../../server/server.ts';
import type { ServerOptions } from '../options.ts';
import { durationMs, withServer } from '../options.ts';

interface StopOptions extends ServerOptions {
  force?: boolean;
  wait?: number;
}

const lookAgainMs = 250;

export function addVmStop(parent: Command, context: Context): void {
  const command = parent
    .command('stop <machine>')
    .description('press the power button of a machine: its system decides; --force cuts the power');
  withServer(command)
    .option('--force', 'cut the power at once: what its system has not written is lost')
    .option('--wait <time>', 'until it is off, at most so long, e.g. 90s', durationMs)
    .action(async (name: string, options: StopOptions) => {
      const server = await findServer(context.env, options.url);
      const found = await findOwnVm(server, name);
      const { force = false, wait } = options;
      const ordered = await server.api.orderVm(found.id, force ? 'power-off' : 'shutdown');
      const machine =
        wait === undefined ? ordered : await waitUntilOff(context, server, { found, waitMs: wait });
      const words = isOff(machine) ? vmStateOf(machine) : 'asked to shut down';
      context.stdout.write(
        options.json === true ? document(machine) : `${harmless(machine.name)}: ${words}\n`,
      );
    });
}

function isOff({ state }: Vm): boolean {
  return state === 'shut_off' || state === 'crashed';
}

/** @throws CliError `vm_running` when its system does not obey in time */
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
        hint: `Its system decides. Cut the power: wcc vm stop ${found.id} --force`,
      });
    }
    await sleep(lookAgainMs, undefined, { signal: interrupt }).catch(() => {
      throw interrupt.reason;
    });
  }
}
