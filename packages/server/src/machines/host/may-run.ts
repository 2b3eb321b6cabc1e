import type { ImageId } from '@wcc/api';
import { assertBasesHold } from '../../images/base-file.ts';
import type { MachinesContext } from '../context.ts';

/** What must be true each time a guest begins to run. */
export interface RunConditions {
  poolId: string;
  /** The bases of its disks, if its process opens them now. */
  opens: readonly { baseId: ImageId | null }[];
}

/**
 * Call it in front of every order of the hypervisor that lets a guest run.
 * @throws ApiError `no_space` where it would be paused at once, `base_changed`
 */
export async function assertMayRun(
  { emergencyFloor, images }: Pick<MachinesContext, 'emergencyFloor' | 'images'>,
  { poolId, opens }: RunConditions,
): Promise<void> {
  await emergencyFloor.assertRoom(poolId);
  for (const { baseId } of opens) await assertBasesHold(images, baseId);
}
