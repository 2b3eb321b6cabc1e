import type { RowView } from '@wcc/progress/words';
import type { Look } from '../output/terminal.ts';
import { fit, harmless, paint, plain, widthOf } from '../output/terminal.ts';

/** What one line shows, of an operation or of a download. */
export interface BarLine {
  name: string;
  /** 0 to 1; null: unknown. */
  value: number | null;
  percent: string;
  /** From the most to the least wanted: what does not fit goes from the end. */
  parts: readonly string[];
  look: RowView['look'];
}

const barColumns = { most: 30, fewest: 10 };
const nameColumns = { most: 28, fewest: 8 };
const percentColumns = 7;

/** One line of at most so many columns: name, bar, percentage, then as many of the rest as fit. */
export function drawLine(line: BarLine, columns: number, look: Look): string {
  const speak = (text: string): string => (look.hasUnicode ? harmless(text) : plain(harmless(text)));
  const separator = speak(' · ');
  const roomForName = Math.min(nameColumns.most, Math.max(nameColumns.fewest, Math.floor(columns / 4)));
  const name = fit(speak(line.name), roomForName);
  const percent = line.percent === '' ? '' : `${line.percent.padStart(percentColumns)} `;
  const parts = line.parts.map(speak).filter((part) => part !== '');
  const room = (): number => columns - widthOf(name) - 2 - widthOf(percent + parts.join(separator));
  const wanted = percent === '' ? 0 : barColumns.fewest;
  while (parts.length > 1 && room() < wanted) parts.pop();
  const width = percent === '' ? 0 : Math.min(barColumns.most, room());
  const bar = width >= barColumns.fewest ? drawBar(line, width, look) : null;
  const rest = percent + parts.join(separator);
  if (bar === null) return fit(`${name} ${rest}`, columns);
  return `${name} ${bar} ${rest}`;
}

/** Rounded down: a full bar belongs to what is complete. */
function drawBar({ value, look: state }: BarLine, width: number, look: Look): string {
  const [full, empty] = look.hasUnicode ? ['━', '─'] : ['#', '-'];
  const filled = Math.floor(Math.min(1, Math.max(0, value ?? 0)) * width);
  const isHeld = state === 'stalled' || state === 'paused' || state === 'interrupted';
  return (
    paint(full.repeat(filled), isHeld ? 'yellow' : 'green', look) +
    paint(empty.repeat(width - filled), 'dim', look)
  );
}
