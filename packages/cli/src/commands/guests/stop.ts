import { escapeTerminal } from '@wcc/progress/terminal';
import { Option } from 'commander';
import type { Command } from 'commander';
import { jsonDocument } from '../../output/json.ts';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';
import { onServerPackage } from '../../runtime/server-package.ts';
import { parseDurationMs } from '../options.ts';

interface StopOptions {
  dataDir?: string;
  hypervisor?: 'auto' | 'libvirt' | 'qemu';
  /** In milliseconds. */
  timeout: number;
  json?: boolean;
}

/** A machine that was on, as `@wcc/server/guests` reports it. */
interface StoppedGuest {
  readonly uuid: string;
  readonly name: string;
  readonly result: 'shut_down' | 'powered_off' | 'running';
  readonly reason: string | null;
}

/** The part of `@wcc/server/guests` that this command calls. */
interface ServerGuests {
  stopGuestsOf(options: {
    dataDir: string | null;
    hypervisor: 'auto' | 'libvirt' | 'qemu' | null;
    environment: Context['env'];
    timeoutMs: number;
    onStopped: (guest: StoppedGuest) => void;
    onWarning: (text: string) => void;
  }): Promise<readonly StoppedGuest[]>;
}

const resultTexts: Readonly<Record<StoppedGuest['result'], string>> = {
  shut_down: 'shut down',
  powered_off: 'powered off',
  running: 'still running',
};

/** Adds `wcc guests stop`. */
export function addGuestsStop(parent: Command, context: Context): void {
  parent
    .command('stop')
    .description(
      'shut down all machines of this host, the last to start first; works without a running server',
    )
    .option('--data-dir <dir>', 'data directory of the server (default: as wcc serve)')
    .addOption(
      new Option('--hypervisor <name>', 'hypervisor of the server (default: as wcc serve)').choices([
        'auto',
        'libvirt',
        'qemu',
      ]),
    )
    .addOption(
      new Option('--timeout <time>', 'cut the power of guests that run after this time, e.g. 90s, 5m')
        .argParser(parseDurationMs)
        .default(120_000, '120s'),
    )
    .option('--json', 'write JSON to standard output')
    .action(async (options: StopOptions) => stop(options, context));
}

async function stop(options: StopOptions, { env, stdout, stderr }: Context): Promise<void> {
  const isJson = options.json === true;
  const stopped = await onServerPackage('@wcc/server/guests', (door) =>
    (door as ServerGuests).stopGuestsOf({
      dataDir: options.dataDir ?? null,
      hypervisor: options.hypervisor ?? null,
      environment: env,
      timeoutMs: options.timeout,
      onStopped: (guest) => void (isJson ? undefined : stdout.write(guestLine(guest))),
      onWarning: (text) => void stderr.write(`Warning: ${escapeTerminal(text)}\n`),
    }),
  );
  if (isJson) stdout.write(jsonDocument(stopped));
  else if (stopped.length === 0) stdout.write('No machine is on.\n');
  const running = stopped.filter(({ result }) => result === 'running').map(({ name }) => name);
  if (running.length === 0) return;
  throw new CliError('failed', `Machines that could not be stopped: ${running.join(', ')}.`, {
    code: 'guests_running',
    hint: 'See the reasons above, and the log of the hypervisor.',
  });
}

function guestLine({ name, result, reason }: StoppedGuest): string {
  const why = reason === null ? '' : ` (${escapeTerminal(reason)})`;
  return `${escapeTerminal(name)}: ${resultTexts[result]}${why}\n`;
}
