import { ApiError } from '@wcc/api';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';

/** Programs of other packages that wcc runs → their Debian package. */
const packages = { 'qemu-img': 'qemu-utils', prlimit: 'util-linux', setpriv: 'util-linux' } as const;
export type Tool = keyof typeof packages;

/** Where distributions put them. PATH is not asked: whoever sets it would choose what runs. */
export const toolDirectories: readonly string[] = ['/usr/bin', '/bin', '/usr/local/bin'];

/** The absolute path of a program. @throws ApiError `tool_missing`, which names the package */
export async function findTool(
  tool: Tool,
  directories: readonly string[] = toolDirectories,
): Promise<string> {
  for (const directory of directories) {
    const path = join(directory, tool);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  throw new ApiError('tool_missing', {
    message: `The program ${tool} is not installed on the server.`,
    hint: `Install the Debian package ${packages[tool]}.`,
  });
}
