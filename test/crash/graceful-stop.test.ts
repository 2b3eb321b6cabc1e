import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { makeRandomImage, MiB, sha256 } from '../kit/images.ts';
import { currentPhase, registerImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createWatcher } from '../kit/watcher.ts';
import type { Watcher } from '../kit/watcher.ts';

const servers: TestServer[] = [];
const watchers: Watcher[] = [];
afterEach(async () => {
  for (const watcher of watchers.splice(0)) watcher.close();
  for (const server of servers.splice(0)) await server.close();
});

async function watch(server: TestServer): Promise<Watcher> {
  const watcher = await createWatcher(server.port, { token: server.token });
  watchers.push(watcher);
  watcher.subscribe('all');
  return watcher;
}

it(
  'SIGTERM during a copy: watchers receive bye, and the copy resumes after the restart',
  { timeout: 120_000 },
  async () => {
    const server = await startServer();
    servers.push(server);
    const source = join(server.poolDir, 'source.raw');
    await makeRandomImage(source, 256 * MiB);
    const image = await registerImage(server, 'source.raw');
    const watcher = await watch(server);
    const { operation } = await server.api.copyImage(image.id, {
      name: 'target.raw',
      method: 'copy',
      bytesPerSecond: 32 * MiB,
    });
    await until(async () => (currentPhase(await server.api.operation(operation.id))?.done ?? 0) > 96 * MiB, {
      what: 'more than a third to be copied',
      timeoutMs: 30_000,
    });
    const exit = await server.stop();
    expect(exit).toMatchObject({ code: 0, signal: null });
    expect(exit.durationMs).toBeLessThan(10_000);
    const bye = await watcher.waitFor(({ message }) => message.t === 'bye', 'bye');
    expect(bye.message).toMatchObject({ t: 'bye', code: 4503, ms: expect.any(Number) as number });
    expect(await watcher.waitForClose()).toBe(4503);

    await server.start();
    const after = await watch(server);
    const first = await after.waitForState(operation.id, ['interrupted', 'running']);
    // The stop wrote a checkpoint, so the copy does not repeat any of the 96 MiB.
    const resumed = first.state === 'running' ? first : await after.waitForState(operation.id, ['running']);
    expect(resumed.epoch).not.toBe(operation.epoch);
    await until(() => (currentPhase(after.latest.get(operation.id)!)?.done ?? 0) > 96 * MiB, {
      what: 'the copy to pass the checkpoint',
    });
    const doneInThisEpoch = after.snapshots
      .filter((snapshot) => snapshot.id === operation.id)
      .map((snapshot) => currentPhase(snapshot))
      .filter((phase) => phase?.name === 'transfer' && phase.done > 0);
    expect(doneInThisEpoch[0]?.done).toBeGreaterThanOrEqual(96 * MiB);
    await waitForState(server, operation.id, { states: ['succeeded'], timeoutMs: 60_000 });
    expect(await sha256(join(server.poolDir, 'target.raw'))).toBe(await sha256(source));
    const states = (await server.api.operationLog(operation.id)).items.filter(({ kind }) => kind === 'state');
    expect(states.map(({ text }) => text).join('\n')).toMatch(/interrupted/);
  },
);

it('a graceful stop keeps paused and queued copies in their state', { timeout: 120_000 }, async () => {
  const server = await startServer({ args: ['--max-copies-per-pool', '1'] });
  servers.push(server);
  await makeRandomImage(join(server.poolDir, 'source.raw'), 128 * MiB);
  const image = await registerImage(server, 'source.raw');
  const copy = async (name: string): Promise<string> =>
    (await server.api.copyImage(image.id, { name, method: 'copy', bytesPerSecond: 32 * MiB })).operation.id;
  const paused = await copy('paused.raw');
  await waitForState(server, paused, { states: ['running'] });
  await server.api.pause(paused);
  await waitForState(server, paused, { states: ['paused'] });
  const running = await copy('running.raw');
  const queued = await copy('queued.raw');
  const before = {
    running: (await server.api.operation(running)).state,
    queued: (await server.api.operation(queued)).state,
  };
  await server.stop();
  await server.start();
  expect((await server.api.operation(paused)).state).toBe('paused');
  expect(before.queued).toBe('queued');
  await waitForState(server, running, { states: ['succeeded'], timeoutMs: 60_000 });
  await server.api.resume(paused);
  for (const id of [queued, paused])
    await waitForState(server, id, { states: ['succeeded'], timeoutMs: 60_000 });
  const expected = await sha256(join(server.poolDir, 'source.raw'));
  for (const name of ['paused.raw', 'running.raw', 'queued.raw']) {
    expect(await sha256(join(server.poolDir, name)), `${name} equals its source`).toBe(expected);
  }
});
