import { CopyError } from '../contract/errors.ts';
import { unpackError } from '../contract/wire-error.ts';
import type { PathLike } from '../contract/types.ts';
import { emptyTotals } from '../contract/tree.ts';
import type {
  CopyTreeOptions,
  CopyTreeResult,
  TreeStep,
  TreeStepResult,
  TreeTotals,
} from '../contract/tree.ts';
import { runInWorker } from '../job/pool.ts';
import { runWatched } from '../job/run-watched.ts';
import { toCopyError } from '../kernel/errno.ts';
import { showPath } from '../storage/paths.ts';
import { createTreeRequest } from './tree-request.ts';
import { planTree } from './tree-options.ts';
import type { TreePlan } from './tree-options.ts';
import { createTreeMonitor } from './tree-progress.ts';
import type { TreeMonitor } from './tree-progress.ts';
import { openRoots } from './tree-roots.ts';
import type { OpenRoots } from './tree-roots.ts';

/**
 * Copies a directory with everything in it. The tree gets its final name when it is complete and, unless `durable` is
 * false, on the storage; never before. Symlinks are never followed, and nothing is written outside the destination,
 * even if another program renames directories while the copy runs. Needs Linux with `/proc`.
 *
 * Keeps mode, access and modification time, holes and hard links. Keeps the owner with `preserveOwner`. Does not keep
 * extended attributes and ACLs.
 *
 * @throws CopyError `not_directory`, `exists`, `nested`, `no_space`, `source_changed`, `destination_changed`, …
 */
export async function copyTree(
  source: PathLike,
  destination: PathLike,
  options?: CopyTreeOptions,
): Promise<CopyTreeResult> {
  const plan = planTree({ source, destination }, options);
  const monitor = createTreeMonitor(plan.concurrency);
  return await runWatched({
    signal: plan.signal,
    onProgress: plan.onProgress,
    read: () => monitor.read(),
    stop: () => monitor.cancel(),
    start: () => runExclusively(plan, monitor),
  });
}

/** Trees at work in this process. A lock on the staging directory excludes other processes. */
const treesInUse = new Set<string>();

async function runExclusively(plan: TreePlan, monitor: TreeMonitor): Promise<CopyTreeResult> {
  const key = `${plan.id} ${plan.destination.toString('latin1')}`;
  if (treesInUse.has(key)) throw new CopyError('partial_in_use', { path: showPath(plan.destination) });
  treesInUse.add(key);
  const startedMs = performance.now();
  let open: OpenRoots | null = null;
  try {
    open = await openRoots(plan);
    const result = await runSteps({ plan, monitor, open, totals: emptyTotals(), resumed: false });
    return { ...result, elapsedMs: performance.now() - startedMs };
  } finally {
    treesInUse.delete(key);
    await open?.close();
  }
}

interface TreeRun {
  plan: TreePlan;
  monitor: TreeMonitor;
  open: OpenRoots;
  totals: TreeTotals;
  resumed: boolean;
}

async function runSteps(run: TreeRun): Promise<Omit<CopyTreeResult, 'elapsedMs'>> {
  const scan = await runStep(run, 'scan');
  run.totals = scan.totals;
  run.monitor.setTotals(scan.totals);
  if (scan.next !== 'published') await run.open.openStaging(scan.next === 'copy');
  let isPublishing = scan.next !== 'copy';
  let results: TreeStepResult[] = [];
  try {
    const prepared = scan.next === 'published' ? scan : await runStep(run, 'prepare');
    run.resumed = prepared.next === 'resume';
    if (!isPublishing) {
      results = await copyAndFlush(run);
      run.totals = addTotals(results);
    }
    run.monitor.enter('publish');
    isPublishing = true;
    results.push(await runStep(run, 'publish'));
  } catch (error) {
    throw await cleanUp(run, toCopyError(error), isPublishing);
  }
  return describe(run.totals, results);
}

async function copyAndFlush(run: TreeRun): Promise<TreeStepResult[]> {
  const { monitor } = run;
  monitor.enter('copy');
  const outcomes = await Promise.allSettled(
    monitor.shards.map(async (_, shard) => {
      try {
        return await runStep(run, 'copy', shard);
      } catch (error) {
        monitor.cancel(); // the other workers stop too
        throw error;
      }
    }),
  );
  const errors = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [toCopyError(outcome.reason)] : [],
  );
  const first = errors.find(({ code }) => code !== 'cancelled') ?? errors[0];
  if (first !== undefined) throw first;
  monitor.enter('flush');
  const copied = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  return [...copied, await runStep(run, 'flush')];
}

async function runStep(run: TreeRun, step: TreeStep, shard = 0): Promise<TreeStepResult> {
  const { plan, monitor, open, resumed, totals } = run;
  const { roots } = open;
  return await runInWorker(createTreeRequest(plan, { step, roots, monitor, shard, resumed, totals }));
}

/**
 * Removes the staging directory, unless a later run may continue it. An entry may already be published: then the rest
 * stays, so that the same call publishes it.
 */
async function cleanUp(run: TreeRun, error: CopyError, isPublishing: boolean): Promise<CopyError> {
  if (error.code === 'partial_in_use') return error;
  const isMerging = isPublishing && run.open.roots.destination.name === null;
  if (error.code !== 'cancelled' && (run.plan.keepPartial || isMerging)) {
    error.resumable = true;
    return error;
  }
  await runStep(run, 'discard').catch(() => {}); // the first error counts
  return error;
}

function addTotals(results: readonly TreeStepResult[]): TreeTotals {
  const totals = emptyTotals();
  for (const result of results) {
    for (const key of ['files', 'directories', 'symlinks', 'hardLinks', 'bytes'] as const) {
      totals[key] += result.totals[key];
    }
  }
  return totals;
}

const maxListed = 1000;

function describe(totals: TreeTotals, results: readonly TreeStepResult[]): Omit<CopyTreeResult, 'elapsedMs'> {
  const { files, directories, symlinks, hardLinks, bytes } = totals;
  const count = (of: (result: TreeStepResult) => number): number =>
    results.reduce((sum, result) => sum + of(result), 0);
  return {
    files,
    directories,
    symlinks,
    hardLinks,
    bytes,
    skipped: results.flatMap(({ skipped }) => skipped).slice(0, maxListed),
    skippedCount: count(({ skippedCount }) => skippedCount),
    failed: results
      .flatMap(({ failed }) => failed)
      .slice(0, maxListed)
      .map(unpackError),
    failedCount: count(({ failedCount }) => failedCount),
    reusedFiles: count(({ reusedFiles }) => reusedFiles),
    warnings: [...new Set(results.flatMap(({ warnings }) => warnings))],
  };
}
