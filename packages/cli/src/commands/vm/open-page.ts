import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';

/** Hands an address to the browser of this desktop. @throws CliError when there is none */
export async function openPage({ env }: Context, address: string): Promise<void> {
  const { WCC_TOKEN: _token, ...rest } = env;
  const child = spawn('xdg-open', [address], { stdio: 'ignore', detached: true, env: rest });
  try {
    await once(child, 'spawn');
  } catch (cause) {
    throw new CliError('failed', 'There is no xdg-open here that would open a browser.', {
      code: 'no_browser',
      hint: `Open it yourself: ${address}`,
      cause,
    });
  }
  child.unref();
}
