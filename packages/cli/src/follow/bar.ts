import type { RowView } from '@wcc/progress/words';
import type { TerminalFeatures } from '../output/terminal.ts';
import { truncate, escapeTerminal, paint, toAscii, widthOf } from '../output/terminal.ts';

/** The content of a progress line, for an operation or a download. */
export interface BarLine {
  name: string;
  /** 0 to 1; null if unknown. */
  value: number | null;
  percent: string;
  /** In order of importance; parts that do not fit are dropped from the end. */
  parts: readonly string[];
  look: RowView['look'];
}

const barColumns = { most: 30, fewest: 10 };
const nameColumns = { most: 28, fewest: 8 };
const percentColumns = 7;

/** Draws a line of at most `columns` columns: name, bar, percentage, then the parts that fit. */
export function drawLine(line: BarLine, columns: number, look: TerminalFeatures): string {
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
function drawBar({ value, look: state }: BarLine, width: number, look: TerminalFeatures): string {
  const [full, empty] = look.hasUnicode ? ['━', '─'] : ['#', '-'];
  const filled = Math.floor(Math.min(1, Math.max(0, value ?? 0)) * width);
  const isStopped = state === 'stalled' || state === 'paused' || state === 'interrupted';
  return (
    paint(full.repeat(filled), isStopped ? 'yellow' : 'green', look) +
    paint(empty.repeat(width - filled), 'dim', look)
  );
}
