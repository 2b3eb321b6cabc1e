import type { Context } from '../runtime/context.ts';
import { harmless, lookOf, plain } from '../output/terminal.ts';
import type { BarLine } from './bar.ts';
import { drawLine } from './bar.ts';

/** Where progress is told: on a terminal one line that is redrawn, elsewhere a line now and then. */
export interface Show {
  /** `key`: what is told at once when it changes; the numbers of the same key only every few seconds. */
  update(line: BarLine, key: string): void;
  /** A sentence of its own, above the bar. */
  say(text: string): void;
  /** Takes the bar away. */
  end(): void;
}

/** Lines of a log are for people who come later: not more than this many milliseconds apart. */
const betweenLinesMs = 5000;

export function createShow(context: Context): Show {
  const look = lookOf(context.stderr, context.env);
  return look.canRedraw ? createRedrawn(context) : createLines(context);
}

function createRedrawn({ stderr, env }: Context): Show {
  const look = lookOf(stderr, env);
  let isDrawn = false;
  const clear = (): void => {
    if (isDrawn) stderr.write('\r\u001b[K');
    isDrawn = false;
  };
  return {
    update: (line) => {
      // The last column stays free: some terminals wrap as soon as it is written.
      const columns = Math.max(20, (stderr.columns ?? 80) - 1);
      stderr.write(`\r${drawLine(line, columns, look)}\u001b[K`);
      isDrawn = true;
    },
    say: (text) => {
      clear();
      stderr.write(`${text}\n`);
    },
    end: clear,
  };
}

function createLines({ stderr, env }: Context): Show {
  const look = lookOf(stderr, env);
  let toldKey = '';
  let toldText = '';
  let toldAtMs = Number.NEGATIVE_INFINITY;
  return {
    update: (line, key) => {
      const atMs = performance.now();
      if (key === toldKey && atMs - toldAtMs < betweenLinesMs) return;
      const words = [`${line.name}:`, line.percent, line.parts.filter((part) => part !== '').join(' · ')];
      const text = clean(words, look.hasUnicode);
      if (text === toldText) return;
      [toldKey, toldText, toldAtMs] = [key, text, atMs];
      stderr.write(`${text}\n`);
    },
    say: (text) => void stderr.write(`${text}\n`),
    end: () => undefined,
  };
}

function clean(words: readonly string[], hasUnicode: boolean): string {
  const text = harmless(words.filter((word) => word !== '').join(' '));
  return hasUnicode ? text : plain(text);
}
