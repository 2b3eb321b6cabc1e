import { describe } from 'vitest';
import { describeBytes } from './conformance-bytes.testkit.ts';
import { describeControl } from './conformance-control.testkit.ts';
import { describeRefusals } from './conformance-refusals.testkit.ts';
import { describeResume } from './conformance-resume.testkit.ts';
import type { TestEnvironment } from './files.testkit.ts';

/** The conformance suite of a copy, run with and without kernel calls on each file system. */
export function copyConformance(name: string, makeEnvironment: () => TestEnvironment): void {
  describe(name, () => {
    const environment = makeEnvironment();
    describeBytes(environment);
    describeRefusals(environment);
    describeControl(environment);
    describeResume(environment);
  });
}
