import type { Readable } from 'node:stream';

/** A stream that may be a terminal. */
export interface Output {
  write(text: string | Uint8Array, done?: () => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** The environment of a command. Only `main.ts` creates it from the process. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Results only. */
  readonly stdout: Output;
  /** Progress, questions and errors. */
  readonly stderr: Output;
  /** Aborts on Ctrl-C, SIGTERM or SIGHUP; its reason is the `CliError` to end with. */
  readonly interrupt: AbortSignal;
}
