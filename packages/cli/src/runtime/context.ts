import type { Readable } from 'node:stream';

/** A stream that may be a terminal. */
export interface Output {
  write(text: string | Uint8Array): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** What a command has to work with. Made by `main.ts` alone, from the process that it is. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Results, and nothing else. */
  readonly stdout: Output;
  /** Progress, questions and errors. */
  readonly stderr: Output;
  /** Aborts at Ctrl-C or SIGTERM; its reason is the `CliError` to end with. */
  readonly interrupt: AbortSignal;
}
