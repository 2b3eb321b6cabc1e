import { createServer } from 'node:http';
import { afterAll, describe, expect, it } from 'vitest';
import { renderTerminal } from '../terminal/render-terminal.ts';
import { createEventStreams } from './event-streams.ts';
import { createGateway } from './gateway.ts';
import { createHub } from './hub.ts';
import { serveProgress } from './serve-progress.ts';

/** What a caller without TypeScript gets wrong. */
const hub = createHub();
afterAll(() => hub.close());
const yes = (): boolean => true;
const loose = hub as unknown as Record<'start' | 'run', (...given: unknown[]) => unknown>;
const startHub = (...given: unknown[]): unknown => loose.start(...given);
const runHub = (...given: unknown[]): unknown => loose.run(...given);
const start = { action: 'count', owner: 'ann' };
const gateway = { hub, hosts: yes, origins: yes, authenticate: yes, user: yes, authorize: yes };

const misuses: { what: string; call: (...given: never[]) => unknown; given: unknown[]; detail: string }[] = [
  { what: 'hub.start without options', call: startHub, given: [], detail: 'not an object' },
  {
    what: 'hub.start with a misspelt option',
    call: startHub,
    given: [{ ...start, totl: 3 }],
    detail: '"totl"',
  },
  {
    what: 'hub.start with a signal that is none',
    call: startHub,
    given: [{ ...start, signal: {} }],
    detail: 'signal is not an AbortSignal',
  },
  { what: 'hub.run without work', call: runHub, given: [start], detail: 'work is a undefined' },
  { what: 'createGateway without options', call: createGateway, given: [], detail: 'hub' },
  { what: 'createGateway with a hub alone', call: createGateway, given: [{ hub }], detail: 'hosts' },
  {
    what: 'createGateway with a value for a function',
    call: createGateway,
    given: [{ ...gateway, user: 'ann' }],
    detail: 'user is a string',
  },
  { what: 'createEventStreams without options', call: createEventStreams, given: [], detail: 'hub' },
  { what: 'createEventStreams with a hub alone', call: createEventStreams, given: [{ hub }], detail: 'user' },
  { what: 'renderTerminal without a source', call: renderTerminal, given: [], detail: 'source' },
  { what: 'renderTerminal with an empty object', call: renderTerminal, given: [{}], detail: 'source' },
];

describe('misuse', () => {
  it.each(misuses)('$what is an invalid_option that names it', async ({ call, given, detail }) => {
    const before = [...hub.list()].length;
    const outcome = (async () => Reflect.apply(call, undefined, given) as unknown)();
    await expect(outcome).rejects.toMatchObject({
      code: 'invalid_option',
      message: expect.stringContaining(detail),
    });
    expect([...hub.list()].length).toBe(before);
  });

  it('serveProgress without options asks for the user', () => {
    expect(() => Reflect.apply(serveProgress, undefined, [createServer()])).toThrow(
      expect.objectContaining({ code: 'user_required' }),
    );
  });
});
