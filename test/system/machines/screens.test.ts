import { once } from 'node:events';
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation, Vm } from '@wcc/api';
import { greet, openScreen, waitForFrame } from '../../../packages/server/src/http/screens.testkit.ts';
import type { Screen } from '../../../packages/server/src/http/screens.testkit.ts';
import { makeRandomImage, MiB } from '../../kit/images.ts';
import { driverSkipReason, startMachineHost } from '../../kit/machine-host.ts';
import type { MachineHost } from '../../kit/machine-host.ts';
import { currentPhase, registerImage, waitForState } from '../../kit/operations.ts';
import { until } from '../../kit/poll.ts';

/**
 * Pages stop reading a screen while the screen sends and a copy runs. The server buffers a bounded amount for each
 * page, and other users are not affected.
 */
const stalledPages = 8;
/** Upper bound for one page: kernel buffers of both connections, and the server's own buffer. */
const boundBytes = 18 * MiB;
/** Upper bound for all pages together. An unbounded page would exceed this within a second. */
const memoryBoundBytes = 96 * MiB;

const refusal = driverSkipReason('qemu');
if (refusal !== null) console.log(`skipped: stalled screens: ${refusal}`);

describe.skipIf(refusal !== null)('screens of stalled pages', () => {
  let host: MachineHost;
  let screen: FastScreen;
  let flooding: Vm;
  let quiet: Vm;
  let imageId: number;
  const screens: Screen[] = [];

  beforeAll(async () => {
    host = await startMachineHost('qemu');
    await makeRandomImage(join(host.server.poolDir, 'big.raw'), 512 * MiB);
    imageId = (await registerImage(host.server, 'big.raw')).id;
    [flooding, quiet] = [await boot('flooding'), await boot('quiet')];
    const directory = join(host.server.dataDir, 'machines/qemu/machines', flooding.uuid);
    screen = await openFastScreen(join(directory, 'vnc.sock'));
  });
  afterAll(async () => {
    for (const { socket } of screens) socket.terminate();
    await screen.close();
    await host.close();
  });

  async function boot(name: string): Promise<Vm> {
    const { api } = host.server;
    const order = { name, cpus: 1, memoryBytes: 32 * MiB, disks: [], start: true };
    const { operation } = await api.createVm(order);
    const { result } = await waitForState(host.server, operation.id, { states: ['succeeded'] });
    return api.vm(Number(result?.id));
  }
  async function look({ id }: Vm): Promise<Screen> {
    const { port, token: bearer, api } = host.server;
    const { ticket } = await api.ticket({ purpose: 'screen', target: String(id) });
    const screen = await openScreen({ port, id: id ?? 0, ticket, bearer });
    screens.push(screen);
    return screen;
  }
  async function copy(name: string): Promise<Operation> {
    const { operation } = await host.server.api.copyImage(imageId, { name, method: 'copy' });
    return operation;
  }
  /** @returns the bytes that each page's screen sent, after all screens stopped sending */
  async function stalledBytes(): Promise<number[]> {
    let before: number[] = [];
    return until(
      () => {
        const now = screen.sentBytes();
        const isSame = now.join() === before.join() && screen.isStalled(stalledPages);
        before = now;
        return isSame ? now : null;
      },
      { what: () => `the screens to stall: ${before.join(' ')}`, everyMs: 500, timeoutMs: 20_000 },
    );
  }
  const rssBytes = (): number => {
    const status = readFileSync(`/proc/${host.server.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  };

  it('stalled pages use bounded memory and slow no copy or screen', { timeout: 180_000 }, async () => {
    await waitForState(host.server, (await copy('alone.raw')).id, { states: ['succeeded'] });
    const before = rssBytes();
    for (let page = 0; page < stalledPages; page += 1) (await look(flooding)).socket.pause();
    const held = await stalledBytes();
    const fine = await look(quiet);
    await greet(fine);
    const { id } = await copy('beside.raw');
    await until(async () => (currentPhase(await host.server.api.operation(id))?.done ?? 0) > 0, {
      what: 'the copy to run',
      everyMs: 5,
    });
    let highest = rssBytes();
    let pictures = 0;
    const beside = await until(
      async () => {
        await waitForFrame(fine);
        pictures += 1;
        highest = Math.max(highest, rssBytes());
        const operation = await host.server.api.operation(id);
        return operation.state === 'running' ? null : operation;
      },
      { what: 'the copy to end' },
    );
    expect(beside.state).toBe('succeeded');
    expect(pictures).toBeGreaterThan(1);
    expect(highest - before).toBeLessThan(memoryBoundBytes);
    for (const bytes of held) expect(bytes).toBeLessThan(boundBytes);
    // The server did no work for the stalled pages in that time.
    expect(screen.sentBytes()).toEqual(held);
    const grown = Math.round((highest - before) / MiB);
    console.log(`${grown} MiB more memory, at most ${Math.round(Math.max(...held) / MiB)} MiB a page`);
  });

  it('a screen continues when its page reads again, while other stalled pages stay paused', async () => {
    const [first, ...others] = screens.slice(0, stalledPages);
    if (first === undefined) throw new Error('there is no page');
    let sentBytes = 0;
    first.socket.removeAllListeners('message');
    first.socket.on('message', (data: Buffer) => (sentBytes += data.length));
    first.socket.resume();
    await until(() => sentBytes > 2 * boundBytes, { what: 'the page to receive more than its buffer' });
    expect(screen.sentBytes().filter((bytes) => bytes < boundBytes)).toHaveLength(others.length);
    first.socket.terminate();
    await until(() => screen.sentBytes().length === others.length, { what: 'its screen to close' });
  });
});

/** A fake screen that sends as fast as its reader reads. */
interface FastScreen {
  /** Whether this many connections are stalled now. */
  isStalled(connections: number): boolean;
  /** Bytes sent to each connection, kernel buffers included. */
  sentBytes(): number[];
  close(): Promise<void>;
}

async function openFastScreen(path: string): Promise<FastScreen> {
  const part = Buffer.alloc(65_536, 7);
  const connections = new Map<Socket, { sentBytes: number; isWaiting: boolean }>();
  const server: Server = createServer((socket) => {
    const counted = { sentBytes: 0, isWaiting: false };
    connections.set(socket, counted);
    const pour = (): void => {
      counted.isWaiting = true;
      socket.write(part, (error) => {
        if (error) return;
        counted.isWaiting = false;
        counted.sentBytes += part.length;
        // Yields between writes, as a real screen does.
        setImmediate(pour);
      });
    };
    socket.on('error', () => socket.destroy());
    socket.on('close', () => connections.delete(socket));
    socket.resume();
    pour();
  });
  rmSync(path);
  server.listen(path);
  await once(server, 'listening');
  chmodSync(path, 0o600);
  const all = (): { sentBytes: number; isWaiting: boolean }[] => [...connections.values()];
  return {
    isStalled: (count) => all().filter(({ isWaiting }) => isWaiting).length >= count,
    sentBytes: () => all().map(({ sentBytes }) => sentBytes),
    async close() {
      for (const socket of connections.keys()) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
