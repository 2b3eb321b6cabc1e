import type { Command } from 'commander';
import { Option } from 'commander';
import { doctorReport } from '../output/doctor-report.ts';
import type { HostReport } from '../output/doctor-report.ts';
import { jsonDocument } from '../output/json.ts';
import type { Context } from '../runtime/context.ts';
import { CliError } from '../runtime/errors.ts';
import { importServer } from '../runtime/server-package.ts';

/** The options that name the same settings as those of `wcc serve`, as commander names them → flag of the server. */
const flags = {
  dataDir: 'data-dir',
  pool: 'pool',
  hypervisor: 'hypervisor',
  host: 'host',
  publicUrl: 'public-url',
  tlsCert: 'tls-cert',
  tlsKey: 'tls-key',
} as const;

type DoctorOptions = Partial<Record<keyof typeof flags, string>> & { config?: string; json?: boolean };

/** The part of `@wcc/server/doctor` that this command calls. */
interface ServerDoctor {
  readonly runDoctor: (options: {
    flags: Record<string, string>;
    file: string | null;
    environment: Context['env'];
  }) => Promise<HostReport>;
}

/** Adds `wcc doctor`. */
export function addDoctor(program: Command, context: Context): void {
  program
    .command('doctor')
    .description('check this host and the settings of its server, and say what to do')
    .option('--config <file>', 'configuration file (default: /etc/wcc/wcc.env, if it exists)')
    .option('--data-dir <dir>', 'data directory of the server (default: as wcc config)')
    .option('--pool <dir>', 'directory of the images (default: as wcc config)')
    .addOption(
      new Option('--hypervisor <driver>', 'driver of machines (default: as wcc config)').choices([
        'auto',
        'libvirt',
        'qemu',
      ]),
    )
    .option('--host <address>', 'address to listen on (default: as wcc config)')
    .option('--public-url <url>', 'address of the server in browsers (default: as wcc config)')
    .option('--tls-cert <file>', 'certificate chain (default: as wcc config)')
    .option('--tls-key <file>', 'private key of the certificate (default: as wcc config)')
    .option('--json', 'write JSON to standard output')
    .action(async (options: DoctorOptions) => {
      const { runDoctor } = (await importServer('@wcc/server/doctor')) as ServerDoctor;
      const report = await runDoctor({
        flags: serverFlags(options),
        file: options.config ?? null,
        environment: context.env,
      });
      context.stdout.write(options.json === true ? jsonDocument(report) : doctorReport(report));
      const failed = report.checks.filter(({ state }) => state === 'failed');
      if (failed.length > 0) throw failedChecks(failed.map(({ id }) => id));
    });
}

function serverFlags(options: DoctorOptions): Record<string, string> {
  const given = Object.entries(flags).flatMap(([name, flag]) => {
    const value = options[name as keyof typeof flags];
    return value === undefined ? [] : [[flag, value] as const];
  });
  return Object.fromEntries(given);
}

function failedChecks(ids: readonly string[]): CliError {
  const count = ids.length === 1 ? '1 check' : `${ids.length} checks`;
  return new CliError('failed', `${count} failed: ${ids.join(', ')}.`, { code: 'doctor_failed' });
}
