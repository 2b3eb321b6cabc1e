import type { VmId } from '@wcc/api';
import { serialQuery } from '@wcc/api';
import { closeCodes } from '@wcc/progress/protocol';
import type { OnError } from '@wcc/progress/server';
import type { Principal } from '../../access/principal.ts';
import type { FollowSerialOptions } from '../../machines/hypervisor.ts';
import { parse } from '../parse.ts';
import { limitInput } from './input-limit.ts';
import type { InputSource } from './input-limit.ts';
import type { MachineBridge, OpenChannel } from './machine-sockets.ts';
import { closeGently, keepAlive } from './socket-life.ts';
import type { LifeTimeouts, SocketLife } from './socket-life.ts';

export interface SerialChannelDeps {
  follow: (principal: Principal, id: VmId, options: FollowSerialOptions) => Promise<AsyncIterable<Buffer>>;
  onError: OnError;
}

/** Longest message. A page on a slow network must see a message before it takes the connection for dead. */
const messageBytes = 16_384;

/**
 * Opens serial logs, for reading only. `{"t":"log","bytes":n}` announces the kept end of the log, which the next n bytes
 * of the binary messages are; further binary messages are new output. `{"t":"hb"}` follows 8 s of silence.
 */
export function createSerialChannel({ follow, onError }: SerialChannelDeps): OpenChannel {
  return async ({ id, connection: { principal, signal }, query }) => {
    const { tail } = parse(serialQuery.pick({ tail: true }), Object.fromEntries(query));
    const leaving = new AbortController();
    const options = { signal: AbortSignal.any([signal, leaving.signal]) };
    const log = await follow(principal, id, tail === undefined ? options : { ...options, tailBytes: tail });
    return {
      abandon: () => leaving.abort(),
      join: (socket, wire) => bridgeSerial({ socket, wire, log, onError, leave: () => leaving.abort() }),
    };
  };
}

export interface SerialBridgeOptions extends InputSource {
  log: AsyncIterable<Buffer>;
  /** Ends the log. */
  leave: () => void;
  onError: OnError;
  timeouts?: LifeTimeouts;
}

/** Sends the log as fast as the page reads it. Closes the socket when the page sends anything. */
export function bridgeSerial(options: SerialBridgeOptions): MachineBridge {
  const { socket, leave, onError, timeouts } = options;
  const life = keepAlive(socket, { hasHeartbeat: true, ...(timeouts === undefined ? {} : { timeouts }) });
  let isClosing = false;
  const bridge: MachineBridge = {
    close(code) {
      if (isClosing) return;
      isClosing = true;
      leave();
      closeGently(socket, code);
    },
  };
  socket.on('message', () => bridge.close(closeCodes.malformed));
  // Pings are no messages.
  limitInput(options, {
    pause: () => {
      if (!isClosing) socket.pause();
    },
    resume: () => socket.resume(),
  });
  socket.once('close', () => {
    isClosing = true;
    leave();
  });
  socket.on('error', () => socket.terminate());
  sendLog(options, { life, isOpen: () => !isClosing && socket.readyState === socket.OPEN })
    .catch((error: unknown) => onError(error, { stage: 'serial: send' }))
    .finally(() => bridge.close(closeCodes.normal));
  return bridge;
}

/** Sends each part of the log before it reads the next one. */
async function sendLog(
  { socket, log }: SerialBridgeOptions,
  { life, isOpen }: { life: SocketLife; isOpen: () => boolean },
): Promise<void> {
  const send = (data: string | Buffer): Promise<void> =>
    new Promise((resolve) => {
      // An error of the socket ends the bridge.
      socket.send(data, () => {
        life.noteReceived();
        resolve();
      });
      life.noteSent();
    });
  let isFirst = true;
  for await (const part of log) {
    if (!isOpen()) return;
    if (isFirst) await send(JSON.stringify({ t: 'log', bytes: part.length }));
    isFirst = false;
    for (let at = 0; at < part.length && isOpen(); at += messageBytes)
      await send(part.subarray(at, at + messageBytes));
  }
}
