import type { Image, Role } from '@wcc/api';
import type { OperationState, Snapshot } from '@wcc/progress';
import { isTerminal } from '@wcc/progress';
import { createHub } from '@wcc/progress/server';
import type { Hub } from '@wcc/progress/server';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Principal } from '../access/principal.ts';
import type { GrantedLevel } from '../operations/engine.ts';
import { createOperations } from '../operations/operations.ts';
import type { Operations } from '../operations/operations.ts';
import type { FreeSpaceFloor } from './space/reservations.ts';
import { readInstallationId } from '../storage/installation.ts';
import { createTestRetention } from '../storage/retention-clock.testkit.ts';
import type { TestRetention } from '../storage/retention-clock.testkit.ts';
import { openStore } from '../storage/store.ts';
import type { Store } from '../storage/store.ts';
import { createImages } from './images.ts';
import type { Images } from './images.ts';
import { createPools } from './pool/pools.ts';
import type { Pools } from './pool/pools.ts';

export const MiB: number = 1024 ** 2;

export interface DomainOptions {
  /** The home of an earlier, stopped domain. @default a new one, removed at the end */
  home?: string;
  /** Directory of the pool, e.g. on another file system. @default in `home` */
  poolDir?: string;
  floor?: FreeSpaceFloor;
  maxRunningPerPool?: number;
  pollMs?: number;
  /** Grants on operations. @default none */
  granted?: GrantedLevel;
  /** Called before the start, e.g. to register further actions. */
  prepare?: (parts: Pick<DomainUnderTest, 'store' | 'operations' | 'images'>) => Promise<void>;
  /** Wraps the store, e.g. to make it slow. */
  wrapStore?: (store: Store) => Store;
}

/** The domain with a real store, a real hub and a real directory, without HTTP. */
export interface DomainUnderTest {
  readonly home: string;
  readonly poolDir: string;
  readonly store: Store;
  readonly hub: Hub;
  readonly operations: Operations;
  readonly retention: TestRetention;
  readonly images: Images;
  readonly pools: Pools;
  readonly errors: { stage: string; error: unknown }[];
  poolId(): string;
  image(name: string): Promise<Image>;
  rescan(): Promise<Awaited<ReturnType<Images['rescan']>>>;
  copy(source: string, target: string, options?: CopyChanges): Promise<Snapshot>;
  /** Throws if it ends in another state. */
  wait(id: string, ...states: OperationState[]): Promise<Snapshot>;
  /**
   * Hidden files of all operations, or of one operation. Waits for clean-ups, because the end of an operation is
   * shown earlier.
   */
  litter(id?: string): Promise<string[]>;
  /** Stops gracefully, as at SIGTERM. */
  stop(): Promise<void>;
  /** Stops and removes everything. */
  close(): Promise<void>;
}

export interface CopyChanges {
  method?: 'auto' | 'clone' | 'copy';
  bytesPerSecond?: number | null;
  verify?: boolean;
  principal?: Principal;
  key?: string;
}

export function makePrincipal(userName: string, role: Role = 'operator'): Principal {
  const identity = { userId: `id-of-${userName}`, userName, role, sessionKey: `session-of-${userName}` };
  const rest = { sessionVersion: 1, expiresAtMs: null, address: '127.0.0.1', tokenName: null };
  return { kind: 'session', scope: 'write', limitedTo: null, lentBy: null, ...identity, ...rest };
}

export const admin: Principal = makePrincipal('root', 'admin');

export async function startDomain(options: DomainOptions = {}): Promise<DomainUnderTest> {
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 'wcc-domain-')));
  const poolDir = options.poolDir ?? join(home, 'pool');
  await mkdir(poolDir, { recursive: true });
  const errors: { stage: string; error: unknown }[] = [];
  const onError = (error: unknown, { stage }: { stage: string }): void => void errors.push({ stage, error });
  const opened = await openStore(join(home, 'wcc.sqlite'), { onError });
  const store = options.wrapStore?.(opened) ?? opened;
  const hub = createHub({ onError });
  const installationId = await readInstallationId(store);
  const pools = await createPools({
    store,
    installationId,
    pool: { path: poolDir, origin: 'named' },
    onError,
  });
  const retention = createTestRetention();
  const operations = createOperations({
    store,
    retention,
    hub,
    onError,
    isPoolReady: (id) => pools.isReady(id),
    maxRunningPerPool: options.maxRunningPerPool ?? 2,
    ...(options.granted === undefined ? {} : { granted: options.granted }),
  });
  const freeSpaceFloor = options.floor ?? { bytes: 0, fraction: 0 };
  const images = await createImages({
    store,
    hub,
    operations,
    pools,
    freeSpaceFloor,
    maxVirtualSizeBytes: 64 * 1024 ** 4,
    onError,
    pollMs: options.pollMs ?? 30_000,
  });
  await options.prepare?.({ store, operations, images });
  await images.start();
  const parts = { home, poolDir, store, hub, operations, retention, images, pools, errors };
  const stop = async (): Promise<void> => {
    await operations.stop();
    await images.close();
    hub.close();
    await store.close();
  };
  let stopped: Promise<void> | null = null;
  return {
    ...parts,
    ...createCalls(parts),
    stop: () => (stopped ??= stop()),
    async close() {
      await (stopped ??= stop());
      await rm(home, { recursive: true });
    },
  };
}

type Parts = Pick<DomainUnderTest, 'home' | 'poolDir' | 'operations' | 'images' | 'pools'>;
type Calls = Pick<DomainUnderTest, 'poolId' | 'image' | 'rescan' | 'copy' | 'wait' | 'litter'>;

function createCalls({ poolDir, operations, images, pools }: Parts): Calls {
  const poolId = (): string => pools.all()[0]?.id ?? '';
  async function image(name: string): Promise<Image> {
    const { items } = await images.list(admin, { limit: 200 });
    const found = items.find((one) => one.name === name);
    if (!found) throw new Error(`there is no image ${name}`);
    return found;
  }
  return {
    poolId,
    image,
    rescan: () => images.rescan(admin, poolId()),
    async copy(source, target, { principal = admin, key, ...changes }: CopyChanges = {}) {
      const defaults = { method: 'copy', bytesPerSecond: null, verify: false } as const;
      const { id } = await image(source);
      const body = { name: target, ...defaults, ...changes };
      return images.copy(principal, { id, body, idempotencyKey: key ?? null });
    },
    async wait(id, ...states) {
      const deadline = performance.now() + 20_000;
      for (;;) {
        const snapshot = await operations.snapshot(id);
        if (snapshot && states.includes(snapshot.state)) return snapshot;
        const isOver = performance.now() > deadline || (snapshot && isTerminal(snapshot.state));
        if (isOver) throw new Error(`${id} is ${snapshot?.state}: ${JSON.stringify(snapshot?.error)}`);
        await sleep(10);
      }
    },
    async litter(id = '') {
      const deadline = performance.now() + 20_000;
      for (;;) {
        const names = await readdir(poolDir);
        const hidden = names.filter(
          (name) => name.startsWith('.wcc-') && !name.startsWith('.wcc-pool') && name.includes(id),
        );
        if (hidden.length === 0 || performance.now() > deadline) return hidden;
        await sleep(20);
      }
    },
  };
}

/** Writes random bytes, without equal blocks. */
export async function writeRandom(path: string, sizeBytes: number): Promise<void> {
  const handle = await open(path, 'w');
  try {
    for (let at = 0; at < sizeBytes; at += MiB) {
      await handle.write(randomBytes(Math.min(MiB, sizeBytes - at)), 0, undefined, at);
    }
  } finally {
    await handle.close();
  }
}

export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
