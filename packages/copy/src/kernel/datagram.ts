import { SystemError } from './errno.ts';
import type { Library, NativeCall } from './library.ts';
import { callChecked, loadLibrary } from './library.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const ENOSYS = 38;
/** `sun_path` of unix(7), with the null byte at its end. */
const maxPathBytes = 108;

/**
 * Sends one datagram to a unix socket, which Node cannot do. Never blocks.
 *
 * @param address absolute path, or `@NAME` of an abstract socket
 * @throws an error with a `code`: the name of the errno, e.g. `EAGAIN` while the queue of the receiver is full;
 *   `ENOSYS` without koffi
 */
export function sendDatagram(address: string, text: string): void {
  const { library } = loadLibrary();
  if (library === null) throw new SystemError(ENOSYS, 'sendto');
  const invoke = (syscall: keyof typeof definitions, values: Parameters<NativeCall>): bigint =>
    callChecked(library, { call: bind(library, syscall), syscall }, values);
  const name = socketAddress(address);
  const bytes = Buffer.from(text);
  const fd = Number(invoke('socket', [AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0]));
  try {
    invoke('sendto', [fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, name, name.length]);
  } finally {
    invoke('close', [fd]);
  }
}

const definitions = {
  socket: 'int socket(int, int, int)',
  sendto: 'long sendto(int, const void *, size_t, int, const void *, unsigned int)',
  close: 'int close(int)',
} as const;

const bound = new Map<string, NativeCall>();

function bind(library: Library, syscall: keyof typeof definitions): NativeCall {
  const call = bound.get(syscall) ?? library.bind(definitions[syscall]);
  if (call === null) throw new SystemError(ENOSYS, syscall);
  bound.set(syscall, call);
  return call;
}

/** `struct sockaddr_un`. The name of an abstract socket begins with a null byte and has none at its end. */
function socketAddress(address: string): Buffer {
  const isAbstract = address.startsWith('@');
  const path = Buffer.from(isAbstract ? `\0${address.slice(1)}` : `${address}\0`);
  if (path.length > maxPathBytes) throw new RangeError(`The address of the socket is too long: ${address}`);
  const family = Buffer.alloc(2);
  // The kernel reads its own byte order, and both processors of wcc are little-endian.
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, path]);
}
