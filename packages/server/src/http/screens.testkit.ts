import { once } from 'node:events';
import type { VmId } from '@wcc/api';
import { WebSocket } from 'ws';
import { waitUntil } from '../machines/hypervisor/wait.testkit.ts';

/** How to open a screen: as a browser with cookie and Origin, or as a program with a token. */
export interface ScreenOpening {
  port: number;
  id: VmId;
  ticket: string;
  /** The session's cookie; a program has none. */
  cookie?: string;
  origin?: string;
  bearer?: string;
  /** @default none */
  query?: string;
}

export interface Screen {
  socket: WebSocket;
  /** Resolves with the close code. */
  closed: Promise<number>;
  received: () => Buffer;
}

/** Opens a machine's screen as noVNC does. Rejects when the upgrade is refused. */
export async function openScreen(opening: ScreenOpening): Promise<Screen> {
  const { port, id, ticket, cookie, origin, bearer, query = '' } = opening;
  const url = `ws://127.0.0.1:${port}/api/vms/${id}/screen${query}`;
  const socket = new WebSocket(url, ['wcc.v1', `wcc.ticket.${ticket}`], {
    ...(origin === undefined ? {} : { origin }),
    headers: {
      ...(cookie === undefined ? {} : { cookie }),
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    },
  });
  const parts: Buffer[] = [];
  socket.on('message', (data: Buffer) => parts.push(data));
  const closed = once(socket, 'close').then(([code]) => code as number);
  await once(socket, 'open');
  return { socket, closed, received: () => Buffer.concat(parts) };
}

/** Does the RFB 3.8 handshake without a password, up to the size of the screen. */
export async function greet({ socket, received }: Screen): Promise<void> {
  await waitUntil('the greeting', () => received().toString('latin1').startsWith('RFB 003.008\n'));
  socket.send(Buffer.from('RFB 003.008\n'));
  await waitUntil('the security types', () => received().length >= 14);
  socket.send(Buffer.from([1]));
  await waitUntil('the security result', () => received().length >= 18);
  socket.send(Buffer.from([1]));
  await waitUntil('the size of the screen', () => received().length > 42);
}

/** FramebufferUpdateRequest for a corner of the screen, also when unchanged. */
export const frameRequest: Buffer = Buffer.from([3, 0, 0, 0, 0, 0, 0, 16, 0, 16]);

/** KeyEvent, down and up, of a Latin-1 character. */
export function pressKey(character: string): Buffer {
  const key = character.charCodeAt(0);
  return Buffer.from([4, 1, 0, 0, 0, 0, 0, key, 4, 0, 0, 0, 0, 0, 0, key]);
}

/** Requests a frame and waits for it. The server has then handled all earlier messages. */
export async function waitForFrame(screen: Screen): Promise<void> {
  const before = screen.received().length;
  screen.socket.send(frameRequest);
  await waitUntil('a frame', () => screen.received().length > before);
}
