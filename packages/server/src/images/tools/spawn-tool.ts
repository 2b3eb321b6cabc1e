import { spawn, type ChildProcess } from 'node:child_process';
import { findTool, toolDirectories, type Tool } from './find-tool.ts';

/** What a program may take; `null`: no limit. */
export interface ToolLimits {
  cpuSeconds: number | null;
  addressSpaceBytes: number;
  /** Longest file that it may write. */
  fileBytes: number;
}

export interface ToolOrder {
  tool: Tool;
  args: readonly string[];
  limits: ToolLimits;
  /** Descriptors that the program gets as 3, 4, …: it opens no name that somebody could exchange. */
  files: readonly number[];
  /** @default where distributions put programs */
  directories?: readonly string[];
}

/** How the program names the first of `files`, the second, … */
export function inheritedPath(index: number): string {
  return `/dev/fd/${index + 3}`;
}

/** Nothing of our own environment; few malloc arenas, or a limit on address space would hit idle threads. */
const environment = { PATH: '/usr/bin:/bin', LC_ALL: 'C', MALLOC_ARENA_MAX: '2' };

/**
 * Starts a program under limits, with a death of its own when this process dies: `kill -9` of the server leaves
 * no writer behind. The three programs replace each other, so the process has one id all along.
 *
 * @throws ApiError `tool_missing`
 */
export async function spawnTool(order: ToolOrder): Promise<ChildProcess> {
  const { directories = toolDirectories, limits } = order;
  const [setpriv, prlimit, tool] = await Promise.all([
    findTool('setpriv', directories),
    findTool('prlimit', directories),
    findTool(order.tool, directories),
  ]);
  const cpu = limits.cpuSeconds === null ? [] : [`--cpu=${limits.cpuSeconds}`];
  const bounds = [...cpu, `--as=${limits.addressSpaceBytes}`, `--fsize=${limits.fileBytes}`, '--core=0'];
  const argv = ['--pdeathsig', 'KILL', '--no-new-privs', '--', prlimit, ...bounds, '--', tool, ...order.args];
  return spawn(setpriv, argv, {
    env: environment,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe', ...order.files],
  });
}
