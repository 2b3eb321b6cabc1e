import { expect, it } from 'vitest';
import { SerialMessages } from './serial-socket.ts';

/** What a reader of these messages gets. */
function read(...messages: (string | Uint8Array)[]): string[] {
  const got: string[] = [];
  const reader = new SerialMessages({
    onLog: (text) => void got.push(`log ${text}`),
    onMore: (text) => void got.push(`more ${text}`),
  });
  for (const message of messages) {
    if (typeof message === 'string') reader.takeText(message);
    else reader.takeBytes(message);
  }
  return got;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

it('V5: passes the kept log on as a whole, however it was split', () => {
  expect(read('{"t":"log","bytes":10}', bytes('hello'), '{"t":"hb"}', bytes(' all!'))).toEqual([
    'log hello all!',
  ]);
  expect(read('{"t":"log","bytes":0}', bytes('x'))).toEqual(['log ', 'more x']);
});

it('joins a character that two messages split', () => {
  const euro = bytes('€');
  expect(read('{"t":"log","bytes":1}', euro.subarray(0, 1), euro.subarray(1))).toEqual(['log ', 'more €']);
});
