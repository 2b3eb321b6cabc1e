import { randomUUID } from 'node:crypto';
import type { HypervisorErrorCode } from '../hypervisor-error.ts';
import { assertNotAborted, HypervisorError } from '../hypervisor-error.ts';
import { findTool, packageOf } from '../../../images/tools/find-tool.ts';
import { runTool } from '../../../images/tools/run-tool.ts';
import { plainEnvironment } from '../../../images/tools/spawn-tool.ts';
import type { ToolIdentity } from '../../../images/tools/spawn-tool.ts';

export interface LibvirtConnection {
  readonly uri: LibvirtUri;
  /** HOME and XDG_RUNTIME_DIR of the session. */
  readonly environment: Readonly<Record<string, string>>;
  /** The user of the session; absent for the user of this process. */
  readonly identity?: ToolIdentity;
}

export const libvirtUris = ['qemu:///session', 'qemu:///system'] as const;
export type LibvirtUri = (typeof libvirtUris)[number];

/** A read-only command of virsh. Each word must match {@link plainWord}. */
export type VirshQuery = readonly string[];

/** Runs commands of virsh. */
export interface Virsh {
  readonly connection: LibvirtConnection;
  /** @returns its standard output. @throws HypervisorError with the code of `codeOf`, `packages_missing` */
  run(...args: readonly string[]): Promise<string>;
  /**
   * Runs several queries in one process, because the start of virsh is most of a call's cost.
   * @returns the answer of each query; empty for an unknown machine. @throws HypervisorError as `run` does
   */
  query(...queries: readonly VirshQuery[]): Promise<string[]>;
  /**
   * A runner with calls that reject with `aborted` when the signal aborts: queries at once, changes after {@link
   * abortGraceMs}. libvirt completes a change even without virsh, and only virsh reports when it is done.
   */
  withSignal(signal: AbortSignal): Virsh;
}

/** How long a change may continue after its signal has aborted. */
const abortGraceMs = 2_000;

/** Time limit of a call. It is long, because the first call also starts the daemon of the session. */
const callTimeoutMs = 60_000;
/** Maximum output of a call: enough for lists of many machines. */
const outputBytes = 16 * 1024 ** 2;

/**
 * virsh parses a single argument by its own syntax of quotes, semicolons and comments, so a query may contain only plain words.
 * Everything else (names, paths) goes through `run`, where virsh takes each argument as it is.
 */
const plainWord = /^[A-Za-z0-9-]+$/;

export function createVirsh(connection: LibvirtConnection, signal?: AbortSignal): Virsh {
  return {
    connection,
    withSignal: (other) => createVirsh(connection, other),
    async run(...args) {
      assertNotAborted(signal);
      const late = signal && delayed(signal, abortGraceMs);
      const { succeeded, stdout, errorText } = await runVirsh(connection, args, late?.signal).finally(
        late?.forget,
      );
      if (succeeded) return stdout;
      throw toError(errorText);
    },
    async query(...queries) {
      // The separator is random, so that no name and no output of a machine can contain it.
      const separator = randomUUID();
      const parts = queries.map((query) => `${joinQuery(query)}; echo ${separator}`);
      const { succeeded, stdout, errorText } = await runVirsh(connection, [parts.join('; ')], signal);
      // virsh continues with the next command after an error.
      const errors = errorText.split('\n').filter((line) => line.startsWith('error: '));
      if (errors.some((line) => codeOf(line) !== 'unknown_machine')) throw toError(errorText);
      const answers = stdout.split(separator);
      if (!succeeded || answers.length !== queries.length + 1) throw toError(errorText);
      return answers.slice(0, -1);
    },
  };
}

/** A signal that aborts `delayMs` after the given one. */
function delayed(signal: AbortSignal, delayMs: number): { signal: AbortSignal; forget: () => void } {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    timer = setTimeout(() => late.abort(signal.reason), delayMs);
  };
  signal.addEventListener('abort', begin, { once: true });
  const forget = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', begin);
  };
  return { signal: late.signal, forget };
}

function joinQuery(query: VirshQuery): string {
  const invalid = query.find((word) => !plainWord.test(word));
  if (invalid === undefined) return query.join(' ');
  throw new HypervisorError('failed', { detail: `not a plain word: ${invalid}` });
}

async function runVirsh(
  connection: LibvirtConnection,
  args: readonly string[],
  signal: AbortSignal | undefined,
): Promise<{ succeeded: boolean; stdout: string; errorText: string }> {
  const [, ...first] = virshCommand(connection);
  const { environment, identity } = connection;
  const command = {
    tool: 'virsh',
    args: [...first, ...args],
    limits: null,
    environment,
    ...(identity ? { identity } : {}),
  } as const;
  const result = await runTool(command, { timeoutMs: callTimeoutMs, outputBytes, signal }).catch(
    (cause: unknown) => {
      assertNotAborted(signal);
      throw new HypervisorError('failed', { detail: String(cause), cause });
    },
  );
  const errorText = result.isTimedOut ? `virsh did not answer for ${callTimeoutMs} ms` : result.stderr;
  return { succeeded: result.code === 0, stdout: result.stdout, errorText };
}

function toError(errorText: string): HypervisorError {
  return new HypervisorError(codeOf(errorText), { detail: errorText.replaceAll('error: ', '').trim() });
}

/**
 * Uses an absolute path and an explicit connection URI, so environment variables cannot change them. @throws
 * HypervisorError `packages_missing`
 */
export function virshCommand({ uri }: LibvirtConnection): [string, ...string[]] {
  const program = findTool('virsh');
  if (program === null) throw new HypervisorError('packages_missing', { packages: [packageOf.virsh] });
  return [program, '-c', uri, '-q'];
}

export function virshEnvironment({ environment }: LibvirtConnection): Readonly<Record<string, string>> {
  return { ...plainEnvironment, ...environment };
}

/** Patterns of libvirt's messages in the C locale → codes of HypervisorError. */
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

function codeOf(errorText: string): HypervisorErrorCode {
  return known.find(([pattern]) => pattern.test(errorText))?.[1] ?? 'failed';
}
