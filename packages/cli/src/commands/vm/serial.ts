import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { routes } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';
import { GuestOutputFilter } from '../../output/escape-terminal.ts';
import type { OwnVm } from '../../server/find-vm.ts';
import { lostConnection, openRequest, readProblem } from '../../server/http.ts';
import { RetryDeadline, isRetryable } from '../../server/retry-deadline.ts';
import type { Server } from '../../server/server.ts';
import { SerialFollower } from './serial-follower.ts';

/** TCP keep-alive, because a quiet guest sends no data. */
const keepAliveMs = 15_000;

/** Writes the serial log and new output until Ctrl-C. Reconnects after a lost connection. @throws CliError always */
export async function followSerial(
  context: Context,
  server: Server,
  { machine, giveUpAfterMs }: { machine: OwnVm; giveUpAfterMs: number },
): Promise<never> {
  const { interrupt, stderr } = context;
  const follower = new SerialFollower();
  const deadline = new RetryDeadline(giveUpAfterMs, {
    hint: `Follow again: wcc vm screen ${machine.id} --serial`,
    report: () => {},
  });
  const write = createWriter(context);
  let isLost = false;
  for (;;) {
    try {
      await readUntilLost(server, machine, {
        signal: interrupt,
        onOpen: () => {
          if (isLost) stderr.write('wcc: reconnected\n');
          isLost = false;
          deadline.reset();
          follower.connected();
        },
        onBytes: (bytes) => write(follower.newPartOf(bytes)),
      });
    } catch (error) {
      if (interrupt.aborted) throw stoppedError(context);
      if (!isRetryable(error)) throw error;
      if (!isLost) stderr.write('wcc: no connection to the server\n');
      isLost = true;
      await deadline.wait(error, interrupt).catch((reason: unknown) => {
        throw interrupt.aborted ? stoppedError(context) : reason;
      });
    }
  }
}

/** A terminal receives filtered text, a pipe or file the raw bytes. */
function createWriter({ stdout }: Context): (bytes: Buffer) => void {
  if (stdout.isTTY !== true) return (bytes) => void stdout.write(bytes);
  const text = new GuestOutputFilter();
  return (bytes) => void stdout.write(text.filter(bytes));
}

interface Reading {
  signal: AbortSignal;
  onOpen: () => void;
  onBytes: (bytes: Buffer) => void;
}

/** Reads one connection until it is lost. @throws ApiProblem always, because the answer never ends on its own */
async function readUntilLost(
  server: Server,
  { id }: OwnVm,
  { signal, onOpen, onBytes }: Reading,
): Promise<never> {
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

function stoppedError({ interrupt }: Context): CliError {
  const reason: unknown = interrupt.reason;
  const exit = reason instanceof CliError ? reason.exit : 'interrupted';
  return new CliError(exit, 'Stopped following. The machine keeps running.');
}
