import type { Context } from '../runtime/context.ts';
import { escapeTerminal, terminalFeatures, toAscii } from '../output/terminal.ts';
import type { BarLine } from './bar.ts';
import { drawLine } from './bar.ts';

/** Shows progress: one redrawn line on a terminal, otherwise a new line every few seconds. */
export interface ProgressOutput {
  /** @param key a new key is written at once; lines of the same key only every few seconds */
  update(line: BarLine, key: string): void;
  /** Prints a line above the progress line. */
  print(text: string): void;
  /** Removes the progress line. */
  clear(): void;
}

/** Minimum time between two lines of the same key, when the output is not a terminal. */
const betweenLinesMs = 5000;

/** Creates the output that fits standard error. */
export function createProgressOutput(context: Context): ProgressOutput {
  const look = terminalFeatures(context.stderr, context.env);
  return look.canRedraw ? createRedrawnLine(context) : createLogLines(context);
}

function createRedrawnLine({ stderr, env }: Context): ProgressOutput {
  const look = terminalFeatures(stderr, env);
  let isDrawn = false;
  const clear = (): void => {
    if (isDrawn) stderr.write('\r\u001b[K');
    isDrawn = false;
  };
  return {
    update: (line) => {
      // The last column stays free, because some terminals wrap when it is written.
      const columns = Math.max(20, (stderr.columns ?? 80) - 1);
      stderr.write(`\r${drawLine(line, columns, look)}\u001b[K`);
      isDrawn = true;
    },
    print: (text) => {
      clear();
      stderr.write(`${text}\n`);
    },
    clear,
  };
}

function createLogLines({ stderr, env }: Context): ProgressOutput {
  const look = terminalFeatures(stderr, env);
  let lastKey = '';
  let lastText = '';
  let lastAtMs = Number.NEGATIVE_INFINITY;
  return {
    update: (line, key) => {
      const atMs = performance.now();
      if (key === lastKey && atMs - lastAtMs < betweenLinesMs) return;
      const parts = [`${line.name}:`, line.percent, line.parts.filter((part) => part !== '').join(' · ')];
      const text = clean(parts, look.hasUnicode);
      if (text === lastText) return;
      [lastKey, lastText, lastAtMs] = [key, text, atMs];
      stderr.write(`${text}\n`);
    },
    print: (text) => void stderr.write(`${text}\n`),
    clear: () => undefined,
  };
}

function clean(parts: readonly string[], hasUnicode: boolean): string {
  const text = escapeTerminal(parts.filter((part) => part !== '').join(' '));
  return hasUnicode ? text : toAscii(text);
}
