import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { routes } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';
import { GuestText } from '../../output/escape-terminal.ts';
import type { OwnVm } from '../../server/find-vm.ts';
import { lostConnection, openRequest, readProblem } from '../../server/http.ts';
import { Patience, passes } from '../../server/retry-deadline.ts';
import type { Server } from '../../server/server.ts';
import { SerialFollower } from './serial-follower.ts';

/** A quiet guest is no dead connection: the kernel asks the other side. */
const keepAliveMs = 15_000;

/** Writes the serial log and what comes, until Ctrl-C; comes back after a lost connection. @throws CliError always */
export async function followSerial(
  context: Context,
  server: Server,
  { machine, giveUpAfterMs }: { machine: OwnVm; giveUpAfterMs: number },
): Promise<never> {
  const { interrupt, stderr } = context;
  const follower = new SerialFollower();
  const patience = new Patience(giveUpAfterMs, `Look again: wcc vm screen ${machine.id} --serial`);
  const write = createWriter(context);
  let isLost = false;
  for (;;) {
    try {
      await readOnce(server, machine, {
        signal: interrupt,
        onOpen: () => {
          if (isLost) stderr.write('wcc: connected again\n');
          isLost = false;
          patience.rest();
          follower.begin();
        },
        onBytes: (bytes) => write(follower.take(bytes)),
      });
    } catch (error) {
      if (interrupt.aborted) throw left(context);
      if (!passes(error)) throw error;
      if (!isLost) stderr.write('wcc: no connection to the server\n');
      isLost = true;
      await patience.wait(error, interrupt).catch((reason: unknown) => {
        throw interrupt.aborted ? left(context) : reason;
      });
    }
  }
}

/** A terminal gets text, whoever wants the bytes gets them. */
function createWriter({ stdout }: Context): (bytes: Buffer) => void {
  if (stdout.isTTY !== true) return (bytes) => void stdout.write(bytes);
  const text = new GuestText();
  return (bytes) => void stdout.write(text.take(bytes));
}

interface Reading {
  signal: AbortSignal;
  onOpen: () => void;
  onBytes: (bytes: Buffer) => void;
}

/** One connection, to its end. @throws ApiProblem always: such an answer has no end of its own */
async function readOnce(server: Server, { id }: OwnVm, { signal, onOpen, onBytes }: Reading): Promise<never> {
  const path = `${routes.vmSerial(id)}?follow=true`;
  const request = openRequest(server, { method: 'GET', path, signal });
  request.setSocketKeepAlive(true, keepAliveMs);
  request.end();
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    request.on('error', () => undefined);
    if (response.statusCode !== 200) throw await readProblem(response);
    onOpen();
    for await (const bytes of response as AsyncIterable<Buffer>) onBytes(bytes);
    throw lostConnection();
  } catch (error) {
    throw error instanceof ApiProblem ? error : lostConnection(error);
  } finally {
    request.destroy();
  }
}

function left({ interrupt }: Context): CliError {
  const reason: unknown = interrupt.reason;
  const exit = reason instanceof CliError ? reason.exit : 'interrupted';
  return new CliError(exit, 'Not followed any more; the machine goes on.');
}
