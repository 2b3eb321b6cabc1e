import { expect, it } from 'vitest';
import { SerialFollower } from './serial-follower.ts';

/** The output that the follower writes when each connection sends these parts. */
function outputOf(...connections: string[][]): string[] {
  const follower = new SerialFollower();
  return connections.map((parts) => {
    follower.connected();
    return parts.map((part) => follower.newPartOf(Buffer.from(part)).toString()).join('');
  });
}

it('writes the log and new output', () => {
  expect(outputOf(['hello ', 'world'])).toEqual(['hello world']);
});

it('writes nothing twice after a lost connection, however the log is split', () => {
  expect(outputOf(['hello'], ['hel', 'lo wo', 'rld'], ['hello world', '!'])).toEqual([
    'hello',
    ' world',
    '!',
  ]);
  expect(outputOf(['hello'], ['hello'], ['hello!'])).toEqual(['hello', '', '!']);
});

it('writes a restarted log from its start', () => {
  expect(outputOf(['hello'], ['hel', 'p'], ['help!'])).toEqual(['hello', 'help', '!']);
});

it('writes everything again when the log is too long to compare', () => {
  const long = 'x'.repeat(3 * 1024 ** 2);
  expect(outputOf([long], [long]).map(({ length }) => length)).toEqual([long.length, long.length]);
});

it('does not repeat output when a connection ends before the comparison', () => {
  expect(outputOf(['hello'], ['he'], ['hello!'])).toEqual(['hello', '', '!']);
});
