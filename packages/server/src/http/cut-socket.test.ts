import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cutSocket } from './cut-socket.ts';

describe('cutSocket', () => {
  let server: Server;
  let served: Socket;
  let client: Socket;
  let failures: string[];

  beforeEach(async () => {
    failures = [];
    server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => undefined);
    client.pause();
    [served] = (await accepted) as [Socket];
    served.on('error', (error) => failures.push(error.message));
  });
  afterEach(() => {
    client.destroy();
    server.close();
  });

  it.each<[string, () => void]>([
    ['an idle connection', () => undefined],
    ['a connection whose peer reads nothing', () => void served.write(Buffer.alloc(32 * 1024 * 1024))],
    ['a connection that has just ended', () => void served.end()],
    [
      'a connection that ends while its peer reads nothing',
      () => void served.end(Buffer.alloc(32 * 1024 * 1024)),
    ],
    ['a connection that is already cut', () => cutSocket(served)],
  ])('closes %s at once and leaves no descriptor', async (_, prepare) => {
    const before = readdirSync('/proc/self/fd').length;
    prepare();
    // The shutdown of an ended connection has been requested and is not done.
    await new Promise((resolve) => process.nextTick(() => process.nextTick(resolve)));
    const closed = served.closed ? Promise.resolve() : once(served, 'close');
    cutSocket(served);
    await closed;
    client.destroy();
    await sleep(20);
    expect(failures).toEqual([]);
    expect(readdirSync('/proc/self/fd').length).toBe(before - 2);
  });
});
