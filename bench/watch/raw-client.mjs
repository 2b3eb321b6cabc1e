import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

/** All sockets read into one buffer. The client copies data that it keeps. */
const shared = Buffer.alloc(65_536);
const atKey = Buffer.from('"at":"');
const endMark = Buffer.from('"state":"succeeded"');
const textOpcode = 1;
const pingOpcode = 9;
const pongOpcode = 10;

const paths = { wcc: '/api/ws', 'socket.io': '/socket.io/?EIO=4&transport=websocket' };

/** A frame masked with zeros, which RFC 6455 (5.3) allows; fewer than 126 bytes. */
function frame(opcode, payload) {
  const body = Buffer.from(payload);
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | body.length, 0, 0, 0, 0]), body]);
}

/**
 * A minimal watcher, the same for all subjects, so that the load generator slows none of them. Counts frames, and
 * reads only the time and the state of a snapshot.
 *
 * `mode`: `read`, `stall` (stops reading once it watches), or the number of bytes to read a second.
 */
export class RawClient {
  /** The newest snapshot's `at`, as text; `null` before the first. */
  at = null;
  /** When the terminal record arrived, Unix time in milliseconds. */
  endedAtMs = null;
  snapshots = 0;
  bytes = 0;
  closed = false;
  #rest = null;
  #open = false;
  #watching = false;
  #small = null;
  #options;
  #socket;

  /** @param options `{ port, framing, id, mode, onReady }` */
  constructor(options) {
    this.#options = options;
    const { port, framing } = options;
    const buffer = () => this.#small ?? shared;
    const callback = (size, memory) => this.#read(memory.subarray(0, size));
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback } });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => (this.closed = true));
    const key = randomBytes(16).toString('base64');
    const protocol = framing === 'wcc' ? 'Sec-WebSocket-Protocol: wcc.v1\r\n' : '';
    this.#socket.write(
      `GET ${paths[framing]} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n${protocol}\r\n`,
    );
  }

  get mode() {
    return this.#options.mode;
  }

  /** Reads the next piece, for readers with limited speed. */
  step() {
    this.#socket.resume();
  }

  destroy() {
    this.#socket.resetAndDestroy();
  }

  /** @returns whether it continues to read */
  #read(piece) {
    const data = this.#rest === null ? piece : Buffer.concat([this.#rest, piece]);
    const used = this.#open ? this.#takeFrames(data, 0) : this.#takeAnswer(data);
    this.#rest = used === data.length ? null : Buffer.from(data.subarray(used));
    return !this.#watching || this.#options.mode === 'read';
  }

  #takeAnswer(data) {
    const end = data.indexOf('\r\n\r\n');
    if (end < 0) return 0;
    const status = data.toString('latin1', 9, 12);
    if (status !== '101') throw new Error(`handshake answered ${status}`);
    this.#open = true;
    // This library's server sends no first message, so its clients may send at once.
    if (this.#options.framing === 'wcc') this.#say(`{"t":"sub","id":1,"ops":[{"op":"${this.#options.id}"}]}`);
    return this.#takeFrames(data, end + 4);
  }

  #takeFrames(data, from) {
    let at = from;
    while (data.length - at >= 2) {
      const short = data[at + 1] & 0x7f;
      if (short === 127) throw new Error('a frame of more than 64 KiB');
      const head = short === 126 ? 4 : 2;
      if (data.length - at < head) break;
      const size = short === 126 ? data.readUInt16BE(at + 2) : short;
      if (data.length - at < head + size) break;
      this.#hear(data[at] & 15, data.subarray(at + head, at + head + size));
      at += head + size;
    }
    return at;
  }

  #hear(opcode, payload) {
    if (opcode === pingOpcode) return this.#socket.write(frame(pongOpcode, payload));
    if (opcode !== textOpcode) return undefined;
    const at = payload.indexOf(atKey);
    if (at >= 0) return this.#take(payload, at + atKey.length);
    return this.#options.framing === 'wcc'
      ? this.#answerWcc(payload.toString('latin1', 0, 9))
      : this.#answerSocketIo(payload.toString('latin1', 0, 7));
  }

  #take(payload, at) {
    this.snapshots += 1;
    this.bytes += payload.length;
    this.at = payload.latin1Slice(at, at + 24);
    if (payload.indexOf(endMark) >= 0) this.endedAtMs = Date.now();
    return undefined;
  }

  #answerWcc(start) {
    if (start === '{"t":"ok"') this.#watch();
  }

  #answerSocketIo(start) {
    if (start[0] === '0') this.#say('40');
    else if (start[0] === '2') this.#say('3');
    else if (start.startsWith('40')) this.#say(`42["watch","${this.#options.id}"]`);
    else if (start.startsWith('42["ok"')) this.#watch();
  }

  #watch() {
    this.#watching = true;
    const { mode, stepMs, onReady } = this.#options;
    if (typeof mode === 'number') this.#small = Buffer.alloc(Math.ceil((mode * stepMs) / 1000));
    onReady();
  }

  #say(text) {
    this.#socket.write(frame(textOpcode, text));
  }
}
