import type { SampleImageInput } from '@wcc/api';
import type { PublishInput } from '../publish/publishing-action.ts';

export const sampleAction = 'make_sample_image';

export interface SampleRequest {
  poolId: string;
  body: SampleImageInput;
}

/** What a sample image needs to run, and to run again after a restart. */
export interface SampleInput extends PublishInput {
  sizeBytes: number;
  /** For a retry. */
  request: SampleRequest;
}
