import type { Random } from '../random.ts';
import { families } from './injector.ts';
import type { Counts, Family } from './injector.ts';
import { workKinds } from './works.ts';
import type { WorkKind } from './works.ts';

const errnos = { ENOENT: 2, EIO: 5, EMFILE: 24, ENOSPC: 28, EROFS: 30, ESTALE: 116, EDQUOT: 122 } as const;
export type FaultName = keyof typeof errnos;

export const errnoOf = (name: FaultName): number => errnos[name];

const full = ['ENOSPC', 'EDQUOT'] as const;
const broken = ['EIO', 'ESTALE'] as const;

/** The errors that a call can have, by the kernel's manual pages. */
const errorsOf: Readonly<Record<Family, readonly FaultName[]>> = {
  open: [...broken, ...full, 'EROFS', 'EMFILE', 'ENOENT'],
  read: broken,
  write: [...broken, ...full],
  fsync: [...broken, ...full, 'EROFS'],
  rename: [...broken, ...full, 'EROFS', 'ENOENT'],
  close: [...broken, ...full],
  link: [...broken, ...full, 'EROFS', 'ENOENT'],
  unlink: [...broken, 'EROFS'],
  ftruncate: [...broken, 'ENOSPC', 'EROFS'],
  fallocate: [...broken, ...full],
  copy_file_range: [...broken, ...full],
  clone: [...broken, ...full, 'EROFS'],
};

/** A call that fails, or the loss of the mount. */
export type FaultPoint =
  | { kind: WorkKind; call: Family; error: FaultName; skip: number; times: number | null }
  | { kind: WorkKind; call: 'unmount'; afterMs: number };

export const nameOf = (point: FaultPoint): string =>
  point.call === 'unmount'
    ? `${point.kind}: unmounted after ${point.afterMs} ms`
    : `${point.kind}: ${point.error} of ${point.call} after ${point.skip}${point.times === null ? ', lasting' : ''}`;

/** Draws points evenly over the pairs of work and call. `seen`: the calls of each kind of work without a fault. */
export function* drawPoints(random: Random, seen: Readonly<Record<WorkKind, Counts>>): Generator<FaultPoint> {
  for (;;) {
    const wanted = process.env['WCC_FAULT_KINDS']?.split(',') ?? workKinds;
    const pairs = workKinds
      .filter((kind) => wanted.includes(kind))
      .flatMap((kind) =>
        [...families, 'unmount' as const].map((call) => ({ kind, call, rank: random.next() })),
      );
    for (const { kind, call } of pairs.toSorted((one, other) => one.rank - other.rank)) {
      if (call === 'unmount') {
        yield { kind, call, afterMs: random.integer(0, 150) };
        continue;
      }
      const count = seen[kind][call] ?? 0;
      if (count === 0) continue;
      const skip = random.integer(0, count - 1);
      yield { kind, call, error: random.pick(errorsOf[call]), skip, times: random.next() < 0.7 ? 1 : null };
    }
  }
}
