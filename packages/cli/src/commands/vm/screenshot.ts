import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { routes } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { CliError } from '../../runtime/errors.ts';
import { lostConnection, openRequest, readProblem } from '../../server/http.ts';
import type { OwnVm } from '../../server/find-vm.ts';
import type { Server } from '../../server/server.ts';

const idleMs = 30_000;

/** Saves a screenshot of the machine. @returns its size in bytes @throws CliError `exists` */
export async function saveScreenshot(
  server: Server,
  machine: OwnVm,
  { file, force, signal }: { file: string; force: boolean; signal: AbortSignal },
): Promise<number> {
  const picture = await fetchPicture(server, machine, signal);
  await writeFile(file, picture, { flag: force ? 'w' : 'wx' }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause;
    throw new CliError('local_file', `${file} already exists.`, {
      code: 'exists',
      hint: 'Choose another file, or add --force.',
      cause,
    });
  });
  return picture.length;
}

async function fetchPicture(server: Server, { id }: OwnVm, signal: AbortSignal): Promise<Buffer> {
  const request = openRequest(server, { method: 'GET', path: routes.vmScreenshot(id), signal });
  request.setTimeout(idleMs, () => request.destroy(new Error('No data arrived.')));
  request.end();
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    request.on('error', () => undefined);
    if (response.statusCode !== 200) throw await readProblem(response);
    return await buffer(response);
  } catch (cause) {
    signal.throwIfAborted();
    throw cause instanceof ApiProblem ? cause : lostConnection(cause);
  } finally {
    request.destroy();
  }
}
