import type { Action, OperationView } from '../../operations/action.ts';
import type { Work } from '../../operations/work.ts';
import { startWork } from '../../operations/work.ts';
import type { ImagesContext } from '../context.ts';
import { publishingAction } from '../publish/publishing-action.ts';
import type { StartOptions } from '../publish/publishing-action.ts';
import { sampleAction } from './input.ts';
import type { SampleInput } from './input.ts';
import { requestSample } from './request.ts';
import { writeSample } from './write.ts';

/** `make_sample_image`: an image to try wcc with. Starts from zero after a restart. */
export function createSampleAction(context: ImagesContext): Action<SampleInput> {
  return publishingAction<SampleInput>(context, {
    name: sampleAction,
    phases: () => ['write', 'flush', 'publish'],
    start,
    complete: ({ input: { sizeBytes } }) => ({
      format: 'raw',
      virtualSizeBytes: sizeBytes,
      copiedFrom: null,
      dataBytes: sizeBytes,
    }),
    retry: ({ input }, request) => requestSample(context, { ...request, request: input.request }),
  });
}

async function start(
  { id, input: { targetName, sizeBytes } }: OperationView<SampleInput>,
  { directory, hooks }: StartOptions,
): Promise<Work> {
  return startWork(
    hooks,
    async (progress) => {
      await writeSample({ directory, id, targetName, sizeBytes }, progress);
      return { method: 'read-write' };
    },
    { poolPath: directory },
  );
}
