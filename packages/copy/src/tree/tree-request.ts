import { CopyError } from '../contract/errors.ts';
import type { TreeRequest } from '../contract/tree.ts';
import type { TreePlan } from './tree-options.ts';
import type { TreeMonitor } from './tree-progress.ts';

type StepFields = Pick<TreeRequest, 'step' | 'roots' | 'shard' | 'resumed' | 'totals'>;

/** The request of one step for one worker. */
export function createTreeRequest(
  plan: TreePlan,
  fields: StepFields & { monitor: TreeMonitor },
): TreeRequest {
  const { monitor, ...step } = fields;
  const memory = monitor.shards[step.shard];
  if (memory === undefined) throw new CopyError('worker_failed', { detail: `no shard ${step.shard}` });
  return {
    kind: 'tree',
    ...step,
    id: plan.id,
    shards: monitor.shards.length,
    memory: memory.tree.memory,
    fileMemory: memory.file.memory,
    method: plan.method,
    overwrite: plan.overwrite,
    symlinks: plan.symlinks,
    special: plan.special,
    onError: plan.onError,
    preserveOwner: plan.preserveOwner,
    durable: plan.durable,
    resume: plan.resume,
    keepPartial: plan.keepPartial,
    minFreeBytes: plan.minFreeBytes,
    native: plan.native,
  };
}
