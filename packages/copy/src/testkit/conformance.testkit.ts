import type { CopyOptions } from '@wcc/copy';
import { describe } from 'vitest';
import { describeBytes } from './conformance-bytes.testkit.ts';
import { describeControl } from './conformance-control.testkit.ts';
import { describeRefusals } from './conformance-refusals.testkit.ts';
import { describeResume } from './conformance-resume.testkit.ts';

/** Where the suite runs, and by which path. */
export interface Ground {
  directory: () => string;
  options: CopyOptions;
}

/** What every path must do on every file system. */
export function copyConformance(name: string, makeGround: () => Ground): void {
  describe(name, () => {
    const ground = makeGround();
    describeBytes(ground);
    describeRefusals(ground);
    describeControl(ground);
    describeResume(ground);
  });
}
