import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { assertTool, toolDirectories } from './find-tool.ts';
import type { Tool } from './find-tool.ts';

/** What a program may take; `cpuSeconds: null`: no limit. */
export interface ToolLimits {
  cpuSeconds: number | null;
  addressSpaceBytes: number;
  /** Longest file that it may write. */
  fileBytes: number;
}

export interface ToolCommand {
  tool: Tool;
  args: readonly string[];
  /** Null for programs that are shown nothing from elsewhere: they run as they are. */
  limits: ToolLimits | null;
  /** Descriptors that the program gets as 3, 4, …: it opens no name that somebody could exchange. @default none */
  files?: readonly number[];
  /** Beside {@link plainEnvironment}; nothing of our own. @default nothing */
  environment?: Readonly<Record<string, string>>;
  /** A user to run it as, when we are root. @default our own */
  identity?: ToolIdentity;
  /** @default where distributions put programs */
  directories?: readonly string[];
}

export interface ToolIdentity {
  readonly uid: number;
  readonly gid: number;
}

/** How the program names the first of `files`, the second, … */
export function inheritedPath(index: number): string {
  return `/dev/fd/${index + 3}`;
}

/** What programs see of the world: ours holds more than they should see. */
export const plainEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/bin:/usr/sbin:/bin:/sbin',
  LC_ALL: 'C',
};

/** Few malloc arenas, or a limit on address space would hit idle threads. */
const limitedEnvironment = { MALLOC_ARENA_MAX: '2' };

/**
 * Starts a program without a shell, by its absolute path. One with limits has a death of its own when this
 * process dies: `kill -9` of the server leaves no writer behind. The programs that set them up replace each
 * other, so the process has one id all along.
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
