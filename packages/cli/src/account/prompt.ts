import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Context } from '../runtime/context.ts';
import { CliError } from '../runtime/errors.ts';

/** Puts the question to a terminal, or takes the next line of a pipe. */
export interface Asker {
  ask(question: string): Promise<string>;
  /** What is typed is not shown. */
  askSecret(question: string): Promise<string>;
  close(): void;
}

/** One reader for all questions: a second one would lose the lines that the first has taken in already. */
export function createAsker({ stdin, stderr, interrupt }: Context): Asker {
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
  // In raw mode the terminal sends no signal: the reader gets the key.
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
      if (isTerminal) stderr.write(question);
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
