// The attackers of one flood, on their own core: `attackers.mjs KIND PORT JSON`. They run until they are killed.
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { WebSocket } from 'ws';

const [kind, port, given] = process.argv.slice(2);
const options = JSON.parse(given);
const host = '127.0.0.1';
let done = 0;

/** Sends a request and discards the answer. */
function ask(method, path, { headers = {}, body = '' } = {}) {
  return new Promise((resolve) => {
    const outgoing = request({ host, port, method, path, agent: false, headers }, (response) => {
      response.resume().on('close', () => resolve((done += 1)));
    });
    outgoing.on('error', resolve).end(body);
  });
}

/** 100 connections that send one byte of a request each second, from many addresses, and come back when cut. */
function slow(index) {
  const socket = connect({ host, port, localAddress: `127.0.${1 + (index % 20)}.2` });
  const head = `POST /api/session HTTP/1.1\r\nHost: ${host}:${port}\r\nContent-Type: Application/JSON\r\nContent-Length: 9999\r\n\r\n`;
  socket.write(index % 2 === 0 ? head : 'G');
  const timer = setInterval(() => socket.write('x'), 1000);
  socket.on('error', () => {}).resume();
  socket.on('close', () => {
    clearInterval(timer);
    done += 1;
    setTimeout(() => slow(index), 200);
  });
}

/** A guess each 10 ms, from one /64. */
function guess() {
  const group = () => randomBytes(2).toString('hex');
  const address = `2001:db8:0:1:${group()}:${group()}:${group()}:${group()}`;
  const body = JSON.stringify({
    name: options.names[done % options.names.length],
    password: 'a wrong password 1',
  });
  const headers = {
    'x-forwarded-for': address,
    origin: options.origin,
    'content-type': 'application/json',
    'content-length': String(body.length),
  };
  void ask('POST', '/api/session', { headers, body });
}

/** A screen that gets pointer events as fast as its socket takes them, and comes back when it is cut. */
async function screen() {
  const answer = await fetch(`http://${host}:${port}/api/ws-tickets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${options.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ purpose: 'screen', target: String(options.vm) }),
  }).then((got) => got.json());
  const socket = new WebSocket(`ws://${host}:${port}/api/vms/${options.vm}/screen`, [
    'wcc.v1',
    `wcc.ticket.${answer.ticket}`,
  ]);
  const pointer = Buffer.alloc(6 * 10_000, Buffer.from([5, 0, 0, 1, 0, 1]));
  socket.on('error', () => {});
  socket.on('open', () => {
    done += 1;
    socket.send(Buffer.from('RFB 003.008\n\x01\x01', 'latin1'));
    const push = () => {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount < 1_000_000) socket.send(pointer);
      setTimeout(push, 2);
    };
    push();
  });
  socket.on('close', () => setTimeout(() => void screen(), 500));
}

/** Twelve requests at once, each with 15 kB of metadata that is slow to parse. */
async function bomb() {
  const headers = {
    authorization: `Bearer ${options.share}`,
    'tus-resumable': '1.0.0',
    'upload-length': '1',
    'upload-metadata': `filename ${'='.repeat(15_000)}x`,
  };
  for (;;) await ask('POST', '/api/uploads', { headers });
}

const starts = {
  slow: () => Array.from({ length: 100 }, (_, index) => slow(index)),
  guesses: () => setInterval(guess, 10),
  screens: () => Array.from({ length: 50 }, (_, index) => setTimeout(() => void screen(), index * 20)),
  bombs: () => Array.from({ length: 12 }, bomb),
};
starts[kind]();
process.on('message', () => process.send({ done }));
