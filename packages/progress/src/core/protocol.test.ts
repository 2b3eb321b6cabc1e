import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  clientTimers,
  closeCodes,
  handshakeStatuses,
  defaultLimits,
  protocolVersion,
  maxSnapshotBytes,
  subprotocol,
  ticketPrefix,
} from './protocol.ts';
import { mayInState, nextStates, operationStates } from './state-machine.ts';

const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');

/** Rows of the tables under one heading: the first cells that are code. */
function rowsUnder(heading: string): string[][] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const lines = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) =>
    line
      .split('|')
      .slice(1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

const numbers = (values: object): number[] =>
  Object.values(values as Record<string, number>).toSorted((a, b) => a - b);

describe('docs/protocol.md', () => {
  it('lists exactly the close codes', () => {
    expect(rowsUnder('Close codes').map(([code]) => Number(code))).toEqual(numbers(closeCodes));
  });

  it('lists exactly the statuses of a refused handshake', () => {
    expect(rowsUnder('Opening a socket').map(([status]) => Number(status))).toEqual(
      numbers(handshakeStatuses),
    );
  });

  it.each([
    ['Limits', defaultLimits],
    ['What a client does by the clock', clientTimers],
  ] as const)('has every value of "%s" and no other', (heading, values) => {
    const documented = Object.fromEntries(rowsUnder(heading).map(([name, value]) => [name, Number(value)]));
    expect(documented).toEqual({ ...values });
  });

  it('states the subprotocols and the size of a snapshot', () => {
    expect(page).toContain(`${subprotocol}, ${ticketPrefix}`);
    expect(page).toContain(`"v":${protocolVersion}`);
    expect(page).toContain(`at most ${maxSnapshotBytes} bytes`);
    const hello = { msg: defaultLimits.messageBytes, subs: defaultLimits.subscriptions, hz: 10 };
    expect(page).toContain(`"hb":${defaultLimits.heartbeatMs / 1000},"limits":${JSON.stringify(hello)}`);
  });

  it('lists exactly the states, and the states that may follow each', () => {
    const rows = rowsUnder('Snapshots').filter(([state]) => operationStates.some((each) => each === state));
    const documented = rows.map(([state, , next]) => [
      state,
      next?.split(', ').filter((each) => each !== ''),
    ]);
    expect(Object.fromEntries(documented)).toEqual(
      Object.fromEntries(operationStates.map((state) => [state, nextStates(state)])),
    );
  });

  it.each(['cancel', 'pause', 'resume', 'retry'] as const)('lists the states in which %s applies', (verb) => {
    const [, states] = rowsUnder('Messages').find(([name]) => name === verb) ?? [];
    const allowed = operationStates.filter((state) => mayInState({ state }, verb));
    expect(states?.split(', ').toSorted()).toEqual(allowed.toSorted());
  });

  it('shows every message type', () => {
    const source = readFileSync(new URL('./protocol.ts', import.meta.url), 'utf8');
    const types = new Set([...source.matchAll(/^ {2}t: '(\w+)'/gm)].map((match) => match[1]));
    expect(types.size).toBe(11);
    for (const type of types) expect(page).toContain(`{"t":"${type}"`);
    const codes = [...source.matchAll(/export type (?:RowError|WireErrorCode) = (.*);/g)].flatMap((match) =>
      [...(match[1] ?? '').matchAll(/'(\w+)'/g)].map((code) => code[1]),
    );
    expect(codes).toHaveLength(5);
    for (const code of codes) expect(page).toContain(`- \`${code}\`:`);
  });
});
