import type { RowLook } from '../element/row-view.ts';
import { escapeTerminal, paint, toAscii, truncate, widthOf } from './terminal-text.ts';
import type { TerminalFeatures } from './terminal-text.ts';

/** The content of a progress line. */
export interface TerminalLine {
  /** Distinguishes this line from the others, e.g. the id of an operation. */
  id: string;
  /**
   * Where the output is not a terminal, a new key is written at once, and lines of the same key only now and then.
   */
  key: string;
  name: string;
  /** 0 to 1; null if unknown. */
  value: number | null;
  percent: string;
  /** In order of importance; parts that do not fit are dropped from the end. */
  parts: readonly string[];
  look: RowLook;
}

const barColumns = { most: 30, fewest: 10 };
const nameColumns = { most: 28, fewest: 8 };
const percentColumns = 7;

/** Draws a line of at most `columns` columns: name, bar, percentage, then the parts that fit. */
export function drawLine(line: TerminalLine, columns: number, look: TerminalFeatures): string {
  const format = (text: string): string =>
    look.hasUnicode ? escapeTerminal(text) : toAscii(escapeTerminal(text));
  const separator = format(' · ');
  const nameWidth = Math.min(nameColumns.most, Math.max(nameColumns.fewest, Math.floor(columns / 4)));
  const name = truncate(format(line.name), nameWidth);
  const percent = line.percent === '' ? '' : `${line.percent.padStart(percentColumns)} `;
  const parts = line.parts.map(format).filter((part) => part !== '');
  const spareColumns = (): number => columns - widthOf(name) - 2 - widthOf(percent + parts.join(separator));
  const wanted = percent === '' ? 0 : barColumns.fewest;
  while (parts.length > 1 && spareColumns() < wanted) parts.pop();
  const width = percent === '' ? 0 : Math.min(barColumns.most, spareColumns());
  const bar = width >= barColumns.fewest ? drawBar(line, width, look) : null;
  const rest = percent + parts.join(separator);
  if (bar === null) return truncate(`${name} ${rest}`, columns);
  return `${name} ${bar} ${rest}`;
}

/** Rounded down, so that only a complete bar is full. */
function drawBar({ value, look: state }: TerminalLine, width: number, look: TerminalFeatures): string {
  const [full, empty] = look.hasUnicode ? ['━', '─'] : ['#', '-'];
  const filled = Math.floor(Math.min(1, Math.max(0, value ?? 0)) * width);
  const isStopped = state === 'stalled' || state === 'paused' || state === 'interrupted';
  return (
    paint(full.repeat(filled), isStopped ? 'yellow' : 'green', look) +
    paint(empty.repeat(width - filled), 'dim', look)
  );
}
