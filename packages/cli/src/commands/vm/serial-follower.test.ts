import { expect, it } from 'vitest';
import { SerialFollower } from './serial-follower.ts';

/** What is told of connections, each of which sends these parts. */
function tell(...connections: string[][]): string[] {
  const follower = new SerialFollower();
  return connections.map((parts) => {
    follower.begin();
    return parts.map((part) => follower.take(Buffer.from(part)).toString()).join('');
  });
}

it('tells the log and what comes', () => {
  expect(tell(['hello ', 'world'])).toEqual(['hello world']);
});

it('tells nothing twice after a lost connection, however it is cut', () => {
  expect(tell(['hello'], ['hel', 'lo wo', 'rld'], ['hello world', '!'])).toEqual(['hello', ' world', '!']);
  expect(tell(['hello'], ['hello'], ['hello!'])).toEqual(['hello', '', '!']);
});

it('tells a log that began anew from its start', () => {
  expect(tell(['hello'], ['hel', 'p'], ['help!'])).toEqual(['hello', 'help', '!']);
});

it('tells all again when the log is longer than what can be compared', () => {
  const long = 'x'.repeat(3 * 1024 ** 2);
  expect(tell([long], [long]).map(({ length }) => length)).toEqual([long.length, long.length]);
});

it('keeps what it has when a connection ends before all was compared', () => {
  expect(tell(['hello'], ['he'], ['hello!'])).toEqual(['hello', '', '!']);
});
