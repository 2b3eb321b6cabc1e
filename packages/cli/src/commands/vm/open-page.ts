import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';

/** Opens an address in the browser of this desktop. @throws CliError without xdg-open */
export async function openPage({ env }: Context, address: string): Promise<void> {
  const { WCC_TOKEN: _token, ...rest } = env;
  const child = spawn('xdg-open', [address], { stdio: 'ignore', detached: true, env: rest });
  try {
    await once(child, 'spawn');
  } catch (cause) {
    throw new CliError('failed', 'Cannot open a browser: xdg-open is not installed.', {
      code: 'no_browser',
      hint: `Open it yourself: ${address}`,
      cause,
    });
  }
  child.unref();
}
