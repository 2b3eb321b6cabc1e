import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { confirm } from './confirm.ts';

it('a question shows names without characters that control the terminal, and "no" changes nothing', async () => {
  let text = '';
  const stderr = { isTTY: true, write: (more: string | Uint8Array) => (text += more.toString()) };
  const context = {
    env: {},
    stdin: Object.assign(Readable.from(['n\n']), { isTTY: true }),
    stdout: stderr,
    stderr,
    interrupt: new AbortController().signal,
  };
  await expect(confirm(context, 'Show all data of "a\u001b[2J\u202eb"?')).rejects.toMatchObject({
    code: 'not_confirmed',
    message: 'Nothing was changed.',
  });
  expect(text).toContain('Show all data of "a\ufffd[2J\ufffdb"? [y/N] ');
});
