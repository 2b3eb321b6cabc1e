import { readdir } from 'node:fs/promises';
import type { Image, Operation } from '@wcc/api';
import { until } from './poll.ts';
import type { TestServer } from './server.ts';

const ended = new Set(['succeeded', 'failed', 'cancelled']);

export function hasEnded(operation: { state: string }): boolean {
  return ended.has(operation.state);
}

/** Polls until the operation is in one of the states. @throws at once if it ends in another state */
export async function waitForState(
  server: TestServer,
  id: string,
  options: { states: readonly string[]; timeoutMs?: number },
): Promise<Operation> {
  return until(
    async () => {
      const operation = await server.api.operation(id);
      if (options.states.includes(operation.state)) return operation;
      if (hasEnded(operation)) {
        throw new Error(`${id} is ${operation.state} instead: ${JSON.stringify(operation.error)}`);
      }
      return null;
    },
    {
      what: `${id} to be ${options.states.join(' or ')}`,
      timeoutMs: options.timeoutMs ?? 60_000,
      everyMs: 50,
    },
  );
}

/** Rescans the pool and returns the image of that name. */
export async function registerImage(server: TestServer, name: string): Promise<Image> {
  const pool = (await server.api.pools()).items[0]!;
  await server.api.rescan(pool.id);
  const found = await findImage(server, name);
  if (!found) throw new Error(`${name} is not an image after a rescan`);
  return found;
}

export async function listImages(server: TestServer): Promise<Image[]> {
  const images: Image[] = [];
  let cursor: string | undefined;
  do {
    const page = await server.api.images({ limit: 200, ...(cursor === undefined ? {} : { cursor }) });
    images.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return images;
}

export async function findImage(server: TestServer, name: string): Promise<Image | undefined> {
  return (await listImages(server)).find((image) => image.name === name);
}

/** Names of wcc's hidden files in the pool that belong to no running operation, without marker and lock. */
export async function findOrphans(poolDir: string, runningIds: readonly string[] = []): Promise<string[]> {
  const names = await readdir(poolDir);
  return names.filter(
    (name) =>
      name.startsWith('.wcc-') &&
      !name.startsWith('.wcc-pool') &&
      !runningIds.some((id) => name.startsWith(`.wcc-${id}.`)),
  );
}

/** Waits until the pool has no orphans, because the server reports an end just before it removes the last file. */
export async function expectNoOrphans(poolDir: string, runningIds: readonly string[] = []): Promise<void> {
  let orphans: string[] = [];
  const isClean = async (): Promise<boolean> =>
    (orphans = await findOrphans(poolDir, runningIds)).length === 0;
  await until(isClean, { what: () => `the orphans to be removed: ${orphans.join(' ')}` });
}

/** The operation's current phase with its numbers; `null` before the first and after the last phase. */
export function currentPhase(operation: Pick<Operation, 'phases' | 'phaseIndex'>): {
  name: string;
  done: number;
  durable: number;
  total: number | null;
} | null {
  const phase = operation.phases[operation.phaseIndex];
  return phase && 'done' in phase ? phase : null;
}
