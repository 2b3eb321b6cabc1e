/** A stream that may be a terminal. */
export interface TerminalStream {
  write(text: string): unknown;
  /** If there is one, errors of the stream end its output and nothing else. */
  on?(event: 'error', listener: () => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

const guarded = new WeakSet<TerminalStream>();
const broken = new WeakSet<TerminalStream>();

/**
 * Writes to a stream as long as it works. The reader of a pipe may leave (EPIPE), or the terminal may be closed (EIO):
 * the work then continues without a display.
 */
export function writeTo(stream: TerminalStream, text: string): void {
  if (broken.has(stream)) return;
  if (!guarded.has(stream)) {
    guarded.add(stream);
    stream.on?.('error', () => broken.add(stream));
  }
  try {
    stream.write(text);
  } catch {
    broken.add(stream);
  }
}

const usualSize = { columns: 80, rows: 24 };

/** The size of a terminal. One that has not said its size, as in many containers, reports 0. */
export function sizeOf({ columns, rows }: TerminalStream): { columns: number; rows: number } {
  const known = (value: number | undefined, usual: number): number =>
    value !== undefined && Number.isFinite(value) && value > 0 ? value : usual;
  return { columns: known(columns, usualSize.columns), rows: known(rows, usualSize.rows) };
}
