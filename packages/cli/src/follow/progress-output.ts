import { createDisplay } from '@wcc/progress/terminal';
import type { Display } from '@wcc/progress/terminal';
import type { Context } from '../runtime/context.ts';

const logEveryMs = 5000;

/** Shows progress on standard error: a redrawn line on a terminal, otherwise a new line every few seconds. */
export function createProgressOutput({ stderr, env }: Context): Display {
  return createDisplay({ stream: stderr, env, logEveryMs });
}
