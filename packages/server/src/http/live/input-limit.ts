import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { createInputBudget } from './input-budget.ts';
import type { InputBudget } from './input-budget.ts';

/** A page that sends. */
export interface InputSource {
  socket: WebSocket;
  /** The connection below the socket. */
  wire: Duplex;
  /** @default createInputBudget() */
  budget?: InputBudget;
}

/** Reads nothing from a page that sends more than its budget. The page then waits, and nothing is lost. */
export function limitInput(
  { socket, wire, budget = createInputBudget() }: InputSource,
  { pause, resume }: { pause: () => void; resume: () => void },
): void {
  let timer: NodeJS.Timeout | undefined;
  const spend = (cost: Parameters<InputBudget['spend']>[0]): void => {
    const waitMs = budget.spend(cost);
    if (waitMs === 0) return;
    pause();
    clearTimeout(timer);
    timer = setTimeout(resume, waitMs).unref();
  };
  wire.on('data', (chunk: Buffer) => spend({ bytes: chunk.length }));
  for (const event of ['message', 'ping', 'pong'] as const) socket.on(event, () => spend('message'));
  socket.once('close', () => clearTimeout(timer));
}
