import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { escapeTerminal } from '@wcc/progress/terminal';
import type { Context } from '../runtime/context.ts';
import { CliError } from '../runtime/errors.ts';

/** Asks on a terminal, or reads the next line of a pipe. */
export interface Prompt {
  /**
   * @param question may contain names as they are: characters that control the terminal are replaced
   * @throws CliError `usage` if the input ends before the answer
   */
  ask(question: string): Promise<string>;
  /** Like `ask`, but does not show what is typed. */
  askSecret(question: string): Promise<string>;
  close(): void;
}

/** Creates one reader for all questions. A second reader would miss lines that the first has already read. */
export function createPrompt({ stdin, stderr, interrupt }: Context): Prompt {
  const isTerminal = stdin.isTTY === true && stderr.isTTY === true;
  let isMuted = false;
  const echo = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (!isMuted) stderr.write(chunk.toString());
      done();
    },
  });
  const reader = createInterface({ input: stdin, output: echo, terminal: isTerminal });
  const lines: string[] = [];
  let isOver = false;
  reader.on('line', (line) => lines.push(line)).on('close', () => (isOver = true));
  // In raw mode the terminal sends no signal, so the reader receives Ctrl-C.
  reader.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));

  async function nextLine(): Promise<string> {
    while (lines.length === 0) {
      interrupt.throwIfAborted();
      if (isOver) throw new CliError('usage', 'The input ended before the answer.');
      await Promise.race([once(reader, 'line', { signal: interrupt }), once(reader, 'close')]).catch(
        () => undefined,
      );
    }
    return lines.shift() ?? '';
  }
  return {
    ask: async (question) => {
      if (isTerminal) stderr.write(escapeTerminal(question));
      return (await nextLine()).trim();
    },
    askSecret: async (question) => {
      if (isTerminal) stderr.write(question);
      isMuted = true;
      try {
        return await nextLine();
      } finally {
        isMuted = false;
        if (isTerminal) stderr.write('\n');
      }
    },
    close: () => reader.close(),
  };
}
