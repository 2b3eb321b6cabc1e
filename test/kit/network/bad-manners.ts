import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { RawRequest } from './raw-server.ts';

/** Two states of one file, with the same length. */
export const one = randomBytes(300_000);
export const two = randomBytes(one.length);
const total = one.length;
/** Where a connection breaks. */
const cutAt = 120_000;

export interface BadManner {
  name: string;
  answer: (request: RawRequest) => void;
  /** The whole state that the import must publish, or its reason for none. */
  end: 'one' | 'two' | RegExp;
  /** Warnings of the operation. @default none */
  warnings?: readonly string[];
  /** The import has the digest of the first state. @default false */
  hasDigest?: boolean;
}

type Headers = Record<string, string>;

const reasons: Record<number, string> = { 200: 'OK', 206: 'Partial Content' };

function head(status: number, headers: Headers, version = '1.1'): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/${version} ${status} ${reasons[status] ?? 'Some Reason'}\r\n${lines.join('')}\r\n`;
}

/** The whole state. `cut` ends the connection after as many bytes of the body. */
function whole(
  { socket }: RawRequest,
  { bytes = one, headers = {}, cut }: { bytes?: Buffer; headers?: Headers; cut?: number } = {},
): void {
  socket.write(head(200, { 'Content-Length': String(bytes.length), ...headers }), 'latin1');
  socket.end(bytes.subarray(0, cut));
}

/** The rest of a state from the requested byte on. */
function rest(
  { socket, fromByte }: RawRequest,
  { bytes = one, headers = {}, cut }: { bytes?: Buffer; headers?: Headers; cut?: number } = {},
): void {
  const from = fromByte ?? 0;
  const range = { 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
  socket.write(head(206, { 'Content-Length': String(bytes.length - from), ...range, ...headers }), 'latin1');
  socket.end(bytes.subarray(from, cut));
}

const status =
  (code: number, headers: Headers = {}) =>
  ({ socket }: RawRequest): void =>
    void socket.end(head(code, { 'Content-Length': '0', ...headers }), 'latin1');

/** The first answer, then another one for every further request. */
const first =
  (before: (request: RawRequest) => void, after: (request: RawRequest) => void) =>
  (request: RawRequest): void =>
    (request.number === 0 ? before : after)(request);

const tag = { ETag: '"one"' };
const newTag = { ETag: '"two"' };
const old = { Date: 'Mon, 30 Nov 2026 10:00:00 GMT', 'Last-Modified': 'Mon, 30 Nov 2026 09:00:00 GMT' };
const cutWith = (headers: Headers) => (request: RawRequest) => whole(request, { headers, cut: cutAt });
/** The rest of the first state, or all of it. */
const again =
  (headers: Headers = {}) =>
  (request: RawRequest): void =>
    request.fromByte === null ? whole(request, { headers }) : rest(request, { headers });
/** The file was replaced: a careless rest of the second state, or all of it. */
const replaced =
  (part: Headers, bytes = two) =>
  (request: RawRequest): void =>
    request.fromByte === null
      ? whole(request, { bytes, headers: newTag })
      : rest(request, { bytes, headers: part });
const raw =
  (text: string, body: Buffer | string = '') =>
  ({ socket }: RawRequest): void => {
    socket.write(text, 'latin1');
    socket.end(body);
  };
/** A redirect from the path of the row to a path below it. */
const redirect = (to: (path: string, request: RawRequest) => string) => (request: RawRequest) =>
  status(302, { Location: to(request.path, request) })(request);

const brokenConnections: BadManner[] = [
  { name: 'ends the connection once', answer: first(cutWith(tag), again(tag)), end: 'one' },
  {
    name: 'resets the connection once',
    answer: first(({ socket }) => {
      socket.write(head(200, { 'Content-Length': String(total), ...tag }), 'latin1');
      socket.write(one.subarray(0, cutAt), () => setTimeout(() => socket.resetAndDestroy(), 50));
    }, again(tag)),
    end: 'one',
  },
  {
    name: 'ends every connection after 80 kB',
    answer: (request) =>
      request.fromByte === null
        ? whole(request, { headers: tag, cut: 80_000 })
        : rest(request, { headers: tag, cut: request.fromByte + 80_000 }),
    end: 'one',
  },
  {
    name: 'ends before the first byte',
    answer: first((r) => whole(r, { headers: tag, cut: 0 }), again(tag)),
    end: 'one',
  },
  {
    name: 'ends without an answer',
    answer: first(({ socket }) => void socket.end(), again(tag)),
    end: 'one',
  },
  {
    name: 'resets without an answer',
    answer: first(({ socket }) => void socket.resetAndDestroy(), again(tag)),
    end: 'one',
  },
  {
    name: 'ends within the head',
    answer: first(raw('HTTP/1.1 200 OK\r\nContent-Le'), again(tag)),
    end: 'one',
  },
  { name: 'has no ranges', answer: first(cutWith(tag), (r) => whole(r, { headers: tag })), end: 'one' },
  { name: 'has no validator', answer: first(cutWith({}), again()), end: 'one' },
  {
    name: 'has a weak tag only',
    answer: first(cutWith({ ETag: 'W/"one"' }), again({ ETag: 'W/"one"' })),
    end: 'one',
  },
  { name: 'has an old time only', answer: first(cutWith(old), again(old)), end: 'one' },
  {
    name: 'has a recent time only',
    answer: first(
      cutWith({ Date: old.Date, 'Last-Modified': old.Date }),
      again({ 'Last-Modified': old.Date }),
    ),
    end: 'one',
  },
  {
    name: 'has one tag and another time for each answer',
    answer: first(cutWith({ ...tag, ...old }), again(tag)),
    end: 'one',
  },
  {
    name: 'sends a rest in parts of 50 kB',
    answer: (request) => {
      const { socket, fromByte } = request;
      if (fromByte === null) return cutWith(tag)(request);
      const last = Math.min(fromByte + 50_000, total) - 1;
      const range = { 'Content-Range': `Bytes ${fromByte}-${last}/${total}` };
      socket.write(head(206, { ...range, ...tag, 'Content-Length': String(last + 1 - fromByte) }));
      socket.end(one.subarray(fromByte, last + 1));
    },
    end: 'one',
  },
  {
    name: 'drips the first bytes',
    answer: ({ socket }) => {
      socket.write(head(200, { 'Content-Length': String(total) }));
      let at = 0;
      const timer = setInterval(() => {
        if (at === 20) clearInterval(timer);
        if (at === 20) socket.end(one.subarray(at));
        else socket.write(one.subarray(at, (at += 1)));
      }, 10);
    },
    end: 'one',
  },
  { name: 'always ends at the same byte', answer: cutWith({}), end: /after 6 attempts: the connection/ },
  {
    name: 'always ends without an answer',
    answer: ({ socket }) => void socket.end(),
    end: /after 6 attempts: the connection broke/,
  },
  {
    name: 'always ends within the head',
    answer: raw('HTTP/1.1 200 OK\r\nContent-Le'),
    end: /after 6 attempts: the connection broke|invalid HTTP/,
  },
];

const lengths: BadManner[] = [
  {
    name: 'speaks HTTP/1.0 with a length',
    answer: raw(head(200, { 'Content-Length': String(total) }, '1.0'), one),
    end: 'one',
  },
  {
    name: 'F21: speaks HTTP/1.0 without a length',
    answer: raw(head(200, {}, '1.0'), one),
    end: 'one',
    warnings: ['unproven_end'],
  },
  {
    name: 'F21: ends HTTP/1.1 by closing',
    answer: raw(head(200, { Connection: 'close' }), one),
    end: 'one',
    warnings: ['unproven_end'],
  },
  {
    name: 'F21: has no length, but the import has a digest',
    answer: raw(head(200, {}, '1.0'), one),
    end: 'one',
    hasDigest: true,
  },
  {
    name: 'F21: breaks off without a length',
    answer: raw(head(200, {}, '1.0'), one.subarray(0, cutAt)),
    end: /SHA-256/,
    hasDigest: true,
  },
  {
    name: 'sends chunks with extensions and a trailer',
    answer: chunked('1;name=value', '0\r\nExpires: never\r\n\r\n'),
    end: 'one',
  },
  {
    name: 'forgets the last chunk once',
    answer: first(chunked('1', ''), chunked('1', '0\r\n\r\n')),
    end: 'one',
  },
  {
    name: 'always forgets the last chunk',
    answer: chunked('1', ''),
    end: /after 6 attempts: the connection/,
  },
  {
    name: 'announces more than it has',
    answer: (r) => whole(r, { headers: { 'Content-Length': String(total + 1) } }),
    end: /after 6 attempts/,
  },
  {
    name: 'sends more than it announced',
    answer: raw(
      head(200, { 'Content-Length': String(total), Connection: 'close' }),
      Buffer.concat([one, two]),
    ),
    end: 'one',
  },
  {
    name: 'announces a negative length',
    answer: raw(head(200, { 'Content-Length': '-5' }), one),
    end: /invalid HTTP/,
  },
  {
    name: 'announces two different lengths',
    answer: raw('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n', one),
    end: /invalid HTTP/,
  },
  {
    name: 'announces a petabyte',
    answer: raw(head(200, { 'Content-Length': '999999999999999' })),
    end: /the limit is/,
  },
  { name: 'speaks no HTTP', answer: raw('SSH-2.0-OpenSSH_9.2\r\n'), end: /invalid HTTP/ },
  {
    name: 'sends 200 kB of headers',
    answer: (r) => whole(r, { headers: { 'X-Long': 'x'.repeat(200_000) } }),
    end: 'one',
  },
  {
    name: 'sends 600 kB of headers',
    answer: (r) => whole(r, { headers: { 'X-Long': 'x'.repeat(600_000) } }),
    end: /invalid HTTP/,
  },
  {
    name: 'sends two early answers',
    answer: raw(
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${head(200, { 'Content-Length': String(total) })}`,
      one,
    ),
    end: 'one',
  },
];

function chunked(extension: string, end: string): (request: RawRequest) => void {
  const parts = [one.subarray(0, cutAt), one.subarray(cutAt)];
  return ({ socket }) => {
    socket.write(head(200, { 'Transfer-Encoding': 'chunked', ...tag }));
    for (const part of parts) {
      socket.write(`${part.length.toString(16)};${extension}\r\n`);
      socket.write(part);
      socket.write('\r\n');
    }
    socket.end(end);
  };
}

const changes: BadManner[] = [
  {
    name: 'replaces the file and honours If-Range',
    answer: first(cutWith(tag), (r) => whole(r, { bytes: two, headers: newTag })),
    end: 'two',
  },
  {
    name: 'replaces the file and ignores If-Range',
    answer: first(cutWith(tag), replaced(newTag)),
    end: 'two',
  },
  {
    name: 'F5: replaces the file and names no tag in the part',
    answer: first(cutWith(tag), replaced({})),
    end: 'two',
  },
  {
    name: 'F5: replaces the file and names only its new time',
    answer: first(cutWith(tag), replaced({ 'Last-Modified': old.Date })),
    end: 'two',
  },
  {
    name: 'F5: replaces the file and names no time in the part',
    answer: first(cutWith(old), replaced({})),
    end: 'two',
  },
  {
    name: 'names the old tag weakly',
    answer: first(cutWith(tag), replaced({ ETag: 'W/"one"' })),
    end: 'two',
  },
  {
    name: 'replaces the file by a longer one under the old tag',
    answer: first(cutWith(tag), (r) => rest(r, { bytes: Buffer.concat([two, two]), headers: tag })),
    end: /after 6 attempts/,
  },
  {
    name: 'sends a part without Content-Range',
    answer: first(cutWith(tag), (r) => partOf(r, {})),
    end: 'two',
  },
  {
    name: 'sends a part from another byte',
    answer: first(cutWith(tag), (r) => partOf(r, { 'Content-Range': `bytes 7-${total - 1}/${total}` })),
    end: 'two',
  },
  {
    name: 'sends the whole as a part',
    answer: first(cutWith(tag), (r) => partOf(r, { 'Content-Range': `bytes 0-${total - 1}/${total}` })),
    end: 'two',
  },
  {
    name: 'sends a part of another length than its range',
    answer: first(cutWith(tag), (r) =>
      partOf(r, { 'Content-Range': `bytes ${r.fromByte}-${total - 1}/${total}` }),
    ),
    end: 'two',
  },
  {
    name: 'sends several parts',
    answer: first(cutWith(tag), (r) => partOf(r, { 'Content-Type': 'multipart/byteranges; boundary=x' })),
    end: 'two',
  },
  {
    name: 'sends an unrequested part',
    answer: (r) => rest(r, { headers: tag }),
    end: /after 6 attempts: the server sent a part instead/,
  },
  {
    name: 'says 416 with another length',
    answer: first(cutWith(tag), refusesRange(`bytes */77`, tag)),
    end: 'two',
  },
  { name: 'says 416 without a length', answer: first(cutWith(tag), refusesRange(null, tag)), end: 'two' },
  {
    name: 'F5: says 416 for a replaced file',
    answer: first(chunked('1', ''), refusesRange(`bytes */${total}`, newTag)),
    end: 'two',
  },
  {
    name: 'changes bytes under the same tag',
    answer: first(cutWith(tag), replaced(tag)),
    end: /SHA-256/,
    hasDigest: true,
  },
];

/** Bytes of the second state under wrong headers, or all of that state. */
function partOf(request: RawRequest, headers: Headers): void {
  if (request.fromByte === null) return whole(request, { bytes: two, headers: newTag });
  request.socket.end(
    Buffer.concat([Buffer.from(head(206, { ...tag, 'Content-Length': String(total), ...headers })), two]),
  );
}

function refusesRange(range: string | null, headers: Headers): (request: RawRequest) => void {
  return (request) => {
    if (request.fromByte === null) return whole(request, { bytes: two, headers: newTag });
    status(416, { ...(range === null ? {} : { 'Content-Range': range }), ...headers })(request);
  };
}

const refusals: BadManner[] = [
  ...[404, 403, 401, 410, 204, 300, 302].map((code) => ({
    name: `answers ${code}`,
    answer: status(code),
    end: new RegExp(`^The server answered ${code}\\.$`),
  })),
  ...[408, 425, 500, 502, 504].map((code) => ({
    name: `answers ${code} once`,
    answer: first(status(code), again(tag)),
    end: 'one' as const,
  })),
  { name: 'always answers 500', answer: status(500), end: /after 6 attempts: the server answered 500/ },
  {
    name: 'F23: asks to wait a second',
    answer: first(status(503, { 'Retry-After': '1' }), again(tag)),
    end: 'one',
  },
  {
    name: 'F23: asks to wait until a time',
    answer: first(
      status(429, { Date: old.Date, 'Retry-After': 'Mon, 30 Nov 2026 10:00:01 GMT' }),
      again(tag),
    ),
    end: 'one',
  },
  {
    name: 'F23: asks to wait for nonsense',
    answer: first(status(503, { 'Retry-After': 'soon' }), again(tag)),
    end: 'one',
  },
  {
    name: 'F23: asks to wait a day',
    answer: status(503, { 'Retry-After': '86400' }),
    end: /answered 503 and asks for a pause of 86400 s/,
  },
];

const codings: BadManner[] = [
  ...['none', '', 'binary', 'aws-chunked', 'utf-8', 'Identity', 'identity, none'].map((coding) => ({
    name: `F13: calls the coding "${coding}"`,
    answer: (request: RawRequest) => whole(request, { headers: { 'Content-Encoding': coding } }),
    end: 'one' as const,
  })),
  ...['gzip', 'GZIP', 'x-gzip', 'identity, br', 'zstd', 'compress'].map((coding) => ({
    name: `F13: packs by ${coding}`,
    answer: (request: RawRequest) =>
      whole(request, { bytes: gzipSync(one), headers: { 'Content-Encoding': coding } }),
    end: /sends the file compressed/,
  })),
];

/** Answers below the path of a redirecting row: `/row` redirects to `/row/…`. */
export const targets: Readonly<Record<string, (request: RawRequest) => void>> = {
  '/gr%C3%B6%C3%9Fe.img': again(tag),
  '/gr%F6.img': again(tag),
  '/with%20space': again(tag),
  '/plain': again(tag),
  '/loop': redirect((path) => path),
  // Two mirrors with the same file under tags of their own.
  '/mirror-0': first(cutWith({ ETag: '"m0"' }), (r) =>
    rest(r, { headers: { ETag: '"m0"' }, cut: (r.fromByte ?? 0) + 60_000 }),
  ),
  '/mirror-1': first(cutWith({ ETag: '"m1"' }), (r) =>
    rest(r, { headers: { ETag: '"m1"' }, cut: (r.fromByte ?? 0) + 60_000 }),
  ),
  '/vanishes': first(cutWith(tag), status(404)),
  '/expires': first(cutWith(tag), status(403)),
  '/dies': first(cutWith(tag), ({ socket }) => void socket.resetAndDestroy()),
};

const utf8 = Buffer.from('größe').toString('latin1');

const redirects: BadManner[] = [
  {
    name: 'F14: redirects to a name in UTF-8',
    answer: redirect((path) => `${path}/${utf8}.img`),
    end: 'one',
  },
  {
    name: 'F14: redirects to a name in Latin-1',
    answer: redirect((path) => `${path}/gr\u00f6.img`),
    end: 'one',
  },
  { name: 'redirects to a name with a space', answer: redirect((path) => `${path}/with space`), end: 'one' },
  {
    name: 'redirects without a host',
    answer: redirect((path, { headers }) => `//${headers['host']}${path}/plain`),
    end: 'one',
  },
  {
    name: 'redirects for ever',
    answer: redirect((path) => `${path}/loop`),
    end: /redirects more than 5 times/,
  },
  { name: 'redirects to a file', answer: redirect(() => 'file:///etc/passwd'), end: /http and https/ },
  {
    name: 'redirects to another protocol',
    answer: redirect(() => 'ftp://127.0.0.1/a'),
    end: /http and https/,
  },
  {
    name: 'redirects with a password',
    answer: redirect((path, { headers }) => `http://a:b@${headers['host']}${path}/plain`),
    end: /user name or a password/,
  },
  {
    name: 'redirects to a private address',
    answer: redirect(() => 'http://127.0.0.2/a'),
    end: /private network/,
  },
  { name: 'redirects to nowhere', answer: redirect(() => 'http://'), end: /not a valid address/ },
  {
    name: 'F15: redirects to another mirror each time',
    answer: redirect((path, { number }) => `${path}/mirror-${number % 2}`),
    end: 'one',
  },
  {
    name: 'F15: redirects to a mirror that vanishes',
    answer: redirect((path, { number }) => `${path}/${number === 0 ? 'vanishes' : 'plain'}`),
    end: 'one',
  },
  {
    name: 'F15: redirects to an address that expires',
    answer: redirect((path, { number }) => `${path}/${number === 0 ? 'expires' : 'plain'}`),
    end: 'one',
  },
  {
    name: 'F15: redirects to a mirror that dies',
    answer: redirect((path, { number }) => `${path}/${number === 0 ? 'dies' : 'plain'}`),
    end: 'one',
  },
];

/** Each behaviour of a server with the end that an import from it must have. */
export const badManners: readonly BadManner[] = [
  ...brokenConnections,
  ...lengths,
  ...changes,
  ...refusals,
  ...codings,
  ...redirects,
];
