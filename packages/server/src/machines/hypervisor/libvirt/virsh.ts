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
  /** Whose session it is, when it is not our own. */
  readonly identity?: ToolIdentity;
}

export const libvirtUris = ['qemu:///session', 'qemu:///system'] as const;
export type LibvirtUri = (typeof libvirtUris)[number];

/** A command of virsh that changes nothing, in words that {@link plainWord} allows. */
export type VirshQuery = readonly string[];

/** Runs commands of virsh. */
export interface Virsh {
  readonly connection: LibvirtConnection;
  /** @returns what it printed. @throws HypervisorError in the words of `codeOf`, `packages_missing` */
  run(...args: readonly string[]): Promise<string>;
  /**
   * Asks several questions in one process: most of what a call costs is the start of virsh.
   * @returns what each answered; nothing when it was about a machine that is nowhere. @throws HypervisorError as `run` does
   */
  query(...questions: readonly VirshQuery[]): Promise<string[]>;
  /**
   * One whose calls end when the signal aborts: questions at once, everything else after {@link abortGraceMs}, because libvirt carries out what
   * it was told whether virsh lives or not, and only virsh tells when. They reject with `aborted`.
   */
  withSignal(signal: AbortSignal): Virsh;
}

const abortGraceMs = 2_000;

/** The first call starts the daemon of a session, which takes its time. */
const callMs = 60_000;
/** Lists of many machines are long. */
const outputBytes = 16 * 1024 ** 2;

/**
 * virsh takes a single argument apart by a syntax of its own, of quotes, semicolons and comments: only words that it leaves as they are
 * may be in one. Everything else (names, paths) goes by `run`, in which each argument is one.
 */
const plainWord = /^[A-Za-z0-9-]+$/;

export function createVirsh(connection: LibvirtConnection, wanted?: AbortSignal): Virsh {
  return {
    connection,
    withSignal: (signal) => createVirsh(connection, signal),
    async run(...args) {
      assertNotAborted(wanted);
      const late = wanted && delayed(wanted, abortGraceMs);
      const { isGood, stdout, words } = await runVirsh(connection, args, late?.signal).finally(late?.forget);
      if (isGood) return stdout;
      throw toError(words);
    },
    async query(...questions) {
      // Random: nothing that a machine is called, or says of itself, can look like it.
      const mark = randomUUID();
      const parts = questions.map((question) => `${joinQuery(question)}; echo ${mark}`);
      const { isGood, stdout, words } = await runVirsh(connection, [parts.join('; ')], wanted);
      // Each command tells its own errors, and the next one is run all the same.
      const errors = words.split('\n').filter((line) => line.startsWith('error: '));
      if (errors.some((line) => codeOf(line) !== 'unknown_machine')) throw toError(words);
      const answers = stdout.split(mark);
      if (!isGood || answers.length !== questions.length + 1) throw toError(words);
      return answers.slice(0, -1);
    },
  };
}

/** Aborts a while after the other one. */
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

function joinQuery(question: VirshQuery): string {
  const strange = question.find((word) => !plainWord.test(word));
  if (strange === undefined) return question.join(' ');
  throw new HypervisorError('failed', { detail: `no word of a question: ${strange}` });
}

async function runVirsh(
  connection: LibvirtConnection,
  args: readonly string[],
  signal: AbortSignal | undefined,
): Promise<{ isGood: boolean; stdout: string; words: string }> {
  const [, ...first] = virshCommand(connection);
  const { environment, identity } = connection;
  const order = {
    tool: 'virsh',
    args: [...first, ...args],
    limits: null,
    environment,
    ...(identity ? { identity } : {}),
  } as const;
  const called = await runTool(order, { timeoutMs: callMs, outputBytes, signal }).catch((cause: unknown) => {
    assertNotAborted(signal);
    throw new HypervisorError('failed', { detail: String(cause), cause });
  });
  const words = called.isTimedOut ? `virsh did not answer for ${callMs} ms` : called.stderr;
  return { isGood: called.code === 0, stdout: called.stdout, words };
}

function toError(words: string): HypervisorError {
  return new HypervisorError(codeOf(words), { detail: words.replaceAll('error: ', '').trim() });
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
