import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { assertTool, toolDirectories } from './find-tool.ts';
import type { Tool } from './find-tool.ts';

/** Resource limits of a program; `cpuSeconds: null`: no limit. */
export interface ToolLimits {
  cpuSeconds: number | null;
  addressSpaceBytes: number;
  /** Maximum length of a file that it writes. */
  fileBytes: number;
}

export interface ToolCommand {
  tool: Tool;
  args: readonly string[];
  /** Null for programs that read no untrusted files: they run without limits. */
  limits: ToolLimits | null;
  /** Descriptors that the program gets as 3, 4, …, so that it opens no path. @default none */
  files?: readonly number[];
  /** Variables to add to {@link plainEnvironment}. The program gets no variable of the server. @default empty */
  environment?: Readonly<Record<string, string>>;
  /** The user that runs the program; only root can change it. @default the user of the server */
  identity?: ToolIdentity;
  /** @default the directories of distributions */
  directories?: readonly string[];
}

export interface ToolIdentity {
  readonly uid: number;
  readonly gid: number;
}

/** The path by which the program opens the first of `files`, the second, … */
export function inheritedPath(index: number): string {
  return `/dev/fd/${index + 3}`;
}

/** The environment of programs. The server's environment may contain secrets. */
export const plainEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/bin:/usr/sbin:/bin:/sbin',
  LC_ALL: 'C',
};

/** Few malloc arenas: otherwise idle threads would exceed a limit on address space. */
const limitedEnvironment = { MALLOC_ARENA_MAX: '2' };

/**
 * Starts a program without a shell, by its absolute path. A program with limits is killed when this process dies, so
 * that `kill -9` of the server leaves no writer. The helpers that set the limits replace each other by exec, so the
 * process keeps its id.
 *
 * @throws ApiError `tool_missing`
 */
export function spawnTool(command: ToolCommand): ChildProcess {
  const { limits, files = [], identity = {}, environment = {} } = command;
  const [program, ...args] = commandOf(command);
  return spawn(program, args, {
    ...identity,
    env: { ...plainEnvironment, ...(limits === null ? {} : limitedEnvironment), ...environment },
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe', ...files],
  });
}

function commandOf({
  tool,
  args,
  limits,
  directories = toolDirectories,
}: ToolCommand): [string, ...string[]] {
  if (limits === null) return [assertTool(tool, directories), ...args];
  const [setpriv, prlimit] = [assertTool('setpriv', directories), assertTool('prlimit', directories)];
  const program = assertTool(tool, directories);
  const cpu = limits.cpuSeconds === null ? [] : [`--cpu=${limits.cpuSeconds}`];
  const bounds = [...cpu, `--as=${limits.addressSpaceBytes}`, `--fsize=${limits.fileBytes}`, '--core=0'];
  const own = ['--pdeathsig', 'KILL', '--no-new-privs', '--'];
  return [setpriv, ...own, prlimit, ...bounds, '--', program, ...args];
}
