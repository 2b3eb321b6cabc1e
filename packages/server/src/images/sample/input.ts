import type { SampleImageInput } from '@wcc/api';
import type { PublishInput } from '../publish/publishing-action.ts';

export const sampleAction = 'make_sample_image';

export interface SampleRequest {
  poolId: string;
  body: SampleImageInput;
}

/** The stored input of a sample image, which a restart reads again. */
export interface SampleInput extends PublishInput {
  sizeBytes: number;
  /** The client's request, which a retry repeats. */
  request: SampleRequest;
}
