import { closeCodes, protocolVersion, subprotocol, ticketPrefix } from '@wcc/progress/protocol';
import { unknownId, ensure } from './target.ts';
import type { Check } from './target.ts';
import { connectAs, openSocket, subprotocolsWith } from './wire-client.ts';

/** The rules of the handshake and of client messages. */
export const handshakeCases: Readonly<Record<string, Check>> = {
  'sends hello first, with version, epoch and limits': async (target) => {
    const socket = await connectAs(target, 'watcher');
    const [first] = socket.messages;
    ensure(first?.t === 'hello', 'the first message is "hello"', first);
    ensure(first.v === protocolVersion, `"hello" says version ${protocolVersion}`, first);
    ensure(first.epoch !== '' && first.conn !== '', '"hello" names its epoch and the connection', first);
    const { msg, subs, hz } = first.limits;
    ensure(msg > 0 && subs > 0 && hz > 0 && first.hb > 0, '"hello" has the limits and the heartbeat', first);
    ensure(first.exp === null || first.exp > Date.now(), '"exp" is in the future, or null', first);
    await socket.close();
  },

  'never echoes the ticket, whatever the order of subprotocols': async (target) => {
    const ticket = await target.ticket('watcher');
    const { socket, status } = await openSocket(target, { protocols: [ticketPrefix + ticket, subprotocol] });
    if (socket === null)
      return ensure(status === 400, 'a ticket offered first is accepted, or answered with 400', status);
    ensure(socket.protocol === subprotocol, `the server chooses "${subprotocol}"`, socket.protocol);
    await socket.next('hello');
    ensure(!socket.texts.join().includes(ticket), 'no message contains the ticket');
    return socket.close();
  },

  'opens one socket for a ticket and refuses a second one': async (target) => {
    const protocols = subprotocolsWith(await target.ticket('watcher'));
    const { socket } = await openSocket(target, { protocols });
    ensure(socket !== null, 'a fresh ticket opens a socket');
    const again = await openSocket(target, { protocols });
    ensure(again.status === 401, 'a used ticket is answered 401', again.status);
    await socket.close();
  },

  'opens one socket when a ticket is used twice at the same time': async (target) => {
    const protocols = subprotocolsWith(await target.ticket('watcher'));
    const both = await Promise.all([openSocket(target, { protocols }), openSocket(target, { protocols })]);
    const statuses = both.map(({ status }) => status).toSorted((a, b) => a - b);
    for (const { socket } of both) await socket?.close();
    ensure(statuses.join() === '101,401', 'of two handshakes with one ticket exactly one succeeds', statuses);
  },

  'answers 401 to an unknown and to a missing ticket': async (target) => {
    for (const protocols of [subprotocolsWith('A'.repeat(43)), [subprotocol]]) {
      const { socket, status } = await openSocket(target, { protocols });
      await socket?.close();
      ensure(status === 401, 'without a valid ticket the answer is 401', { protocols, status });
    }
  },

  'answers 403 to a foreign Origin': async (target) => {
    const protocols = subprotocolsWith(await target.ticket('watcher'));
    const { hostname } = new URL(target.origin);
    for (const origin of ['null', 'https://evil.example', `https://${hostname}.evil.example`]) {
      const { socket, status } = await openSocket(target, { protocols, origin });
      await socket?.close();
      ensure(status === 403, 'a foreign Origin is answered 403', { origin, status });
    }
  },

  'answers 400 to a client that does not offer wcc.v1': async (target) => {
    const ticket = await target.ticket('watcher');
    const { socket, status } = await openSocket(target, { protocols: [ticketPrefix + ticket] });
    await socket?.close();
    ensure(status === 400, `a handshake without "${subprotocol}" is answered with 400`, status);
  },

  'closes with 4400 after a message that is not of the protocol': async (target) => {
    for (const text of ['{', '[]', '{"t":"future"}', '{"t":"sub","id":1,"ops":[{"op":1}]}']) {
      const socket = await connectAs(target, 'watcher');
      socket.sendText(text);
      const code = await socket.closed();
      ensure(code === closeCodes.malformed, `"${text}" is answered with ${closeCodes.malformed}`, code);
    }
  },

  'closes with 1003 after a binary and with 1009 after a too long message': async (target) => {
    const binary = await connectAs(target, 'watcher');
    binary.sendBinary(Buffer.from('{"t":"unsub","id":1,"list":"mine"}'));
    const binaryCode = await binary.closed();
    ensure(binaryCode === closeCodes.binary, 'binary is answered with 1003', binaryCode);
    const big = await connectAs(target, 'watcher');
    const { limits } = await big.next('hello');
    big.sendText(`{"t":"unsub","id":1,"list":"mine","pad":"${'x'.repeat(limits.msg)}"}`);
    const bigCode = await big.closed();
    ensure(bigCode === closeCodes.tooBig, 'more than limits.msg bytes are answered with 1009', bigCode);
  },

  'answers too many messages with err "rate", then closes with 4429': async (target) => {
    const socket = await connectAs(target, 'watcher');
    const messageCount = 500;
    for (let id = 1; id <= messageCount; id += 1) socket.send({ t: 'unsub', id, ops: [unknownId] });
    const { code, ms } = await socket.next('err');
    ensure(code === 'rate' && ms > 0, 'too many messages are answered with "rate" and a wait', { code, ms });
    const closeCode = await socket.closed();
    ensure(closeCode === closeCodes.rate, `the socket is closed with ${closeCodes.rate}`, closeCode);
  },
};
