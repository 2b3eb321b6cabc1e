import type { ApiError } from '@wcc/api';
import { headBytes, judgeHead } from '@wcc/api/content';
import type { JudgeOptions } from '@wcc/api/content';
import { refusalError } from './judge-file.ts';

export interface HeadJudgeOptions extends JudgeOptions {
  /** Null: not known. */
  sizeBytes: number | null;
}

/** Judges a file by its first bytes while the others are still on their way. */
export interface HeadJudge {
  /**
   * Takes the bytes of an offset. @returns the refusal, once, as soon as the first 64 KiB or the whole file are there
   */
  take(bytes: Buffer, offsetBytes: number): ApiError | null;
}

/** Bytes that arrived before this judge are unknown to it: then the judgement of the complete file decides. */
export function createHeadJudge(options: HeadJudgeOptions): HeadJudge {
  const wantedBytes = Math.min(headBytes, options.sizeBytes ?? headBytes);
  let head: Buffer | null = Buffer.alloc(0);
  return {
    take(bytes, offsetBytes) {
      if (head === null || offsetBytes > head.length) return null;
      // A request that was rolled back is sent again.
      head = Buffer.concat([head.subarray(0, offsetBytes), bytes.subarray(0, wantedBytes - offsetBytes)]);
      if (head.length < wantedBytes) return null;
      const refusal = judgeHead(head, options);
      head = null;
      return refusal === null ? null : refusalError(refusal);
    },
  };
}
