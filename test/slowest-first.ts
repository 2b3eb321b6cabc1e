import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** Seconds of the slowest files as `npm test` last wrote them: path → seconds. */
const secondsOf = JSON.parse(
  readFileSync(new URL('slowest-files.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, number>>;

/**
 * Starts the slow files of a group first, so that no worker waits at the end for one long file. Without a cache of
 * earlier runs, as on a fresh clone, vitest orders by file size instead.
 */
export class SlowestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const groupOf = ({ project }: TestSpecification): number => project.config.sequence.groupOrder;
    const lengthOf = ({ moduleId }: TestSpecification): number =>
      secondsOf[relative(this.ctx.config.root, moduleId)] ?? 0;
    return Promise.resolve(files.toSorted((a, b) => groupOf(a) - groupOf(b) || lengthOf(b) - lengthOf(a)));
  }
}
