import type { HypervisorErrorCode } from '../../hypervisor-error.ts';
import { HypervisorError } from '../../hypervisor-error.ts';
import type { ToolIdentity } from '../run-tool.ts';
import { findTool, packageOf, plainEnvironment, runTool } from '../run-tool.ts';

export interface LibvirtConnection {
  readonly uri: LibvirtUri;
  /** HOME and XDG_RUNTIME_DIR of the session. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whose session it is, when it is not our own. */
  readonly identity?: ToolIdentity;
}

export const libvirtUris = ['qemu:///session', 'qemu:///system'] as const;
export type LibvirtUri = (typeof libvirtUris)[number];

/** Runs one command of virsh. */
export interface Virsh {
  readonly connection: LibvirtConnection;
  /** @returns what it printed. @throws HypervisorError in the words of `codeOf`, `packages_missing` */
  run(...args: readonly string[]): Promise<string>;
}

/** The first call starts the daemon of a session, which takes its time. */
const callMs = 60_000;

export function createVirsh(connection: LibvirtConnection): Virsh {
  return {
    connection,
    async run(...args) {
      const [program, ...first] = virshCommand(connection);
      const { code, stdout, stderr } = await runTool([program, ...first, ...args], {
        env: virshEnvironment(connection),
        timeoutMs: callMs,
        ...(connection.identity ? { identity: connection.identity } : {}),
      });
      if (code !== 0)
        throw new HypervisorError(codeOf(stderr), { detail: stderr.replaceAll('error: ', '').trim() });
      return stdout;
    },
  };
}

/** Absolute path, then the connection: never the one that an environment names. @throws HypervisorError `packages_missing` */
export function virshCommand({ uri }: LibvirtConnection): [string, ...string[]] {
  const program = findTool('virsh');
  if (program === null) throw new HypervisorError('packages_missing', { packages: [packageOf.virsh] });
  return [program, '-c', uri, '-q'];
}

export function virshEnvironment({ environment }: LibvirtConnection): Readonly<Record<string, string>> {
  return { ...plainEnvironment, ...environment };
}

/** libvirt's words (in the C locale) in our codes. */
const known: readonly (readonly [RegExp, HypervisorErrorCode])[] = [
  [
    /failed to connect to the hypervisor|End of file while reading data|client socket is closed/,
    'unavailable',
  ],
  [/failed to get domain|Domain not found|no domain with matching/, 'unknown_machine'],
  [/already exists with uuid|is already defined with uuid/, 'name_taken'],
  [
    /domain is not running|domain is already running|Domain is already active|domain is running/i,
    'invalid_state',
  ],
];

function codeOf(words: string): HypervisorErrorCode {
  return known.find(([pattern]) => pattern.test(words))?.[1] ?? 'failed';
}
