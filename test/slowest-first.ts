import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** Maps the path of each slow test file to its duration in seconds. `WCC_NOTE_TIMES=1 npm test` updates the list. */
const secondsOf = JSON.parse(
  readFileSync(new URL('slowest-files.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, number>>;

/**
 * Starts the slow files of a group first, so that the run does not end with one long file. By default, vitest orders
 * a fresh clone by file size, because it has no cache of earlier runs.
 */
export class SlowestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const groupOf = ({ project }: TestSpecification): number => project.config.sequence.groupOrder;
    const lengthOf = ({ moduleId }: TestSpecification): number =>
      secondsOf[relative(this.ctx.config.root, moduleId)] ?? 0;
    return Promise.resolve(files.toSorted((a, b) => groupOf(a) - groupOf(b) || lengthOf(b) - lengthOf(a)));
  }
}
