import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OperationState, Snapshot } from '@wcc/progress';
import type { CompleteRecord, OperationRecord } from './hub/record.ts';
import { startGateway } from './testkit/gateway.testkit.ts';
import type { GatewayUnderTest } from './testkit/gateway.testkit.ts';
import { copyRecord, ended, moved } from './testkit/record.testkit.ts';
import { schemaErrors } from './testkit/schema.testkit.ts';
import { connect } from './testkit/socket.testkit.ts';
import type { Client } from './testkit/socket.testkit.ts';

let under: GatewayUnderTest;
let client: Client;
let publicClient: Client;

beforeAll(async () => {
  under = await startGateway({ view: ({ user }) => (user === 'guest' ? 'public' : 'full') });
  client = await connect(under, { user: 'admin' });
  publicClient = await connect(under, { user: 'guest' });
});
afterAll(() => under.close());

/** The snapshot as it arrives at a client. */
async function received(record: OperationRecord, by: Client = client): Promise<Snapshot> {
  under.granted.add(record.id);
  const { seq } = under.hub.put(record);
  by.send({ t: 'sub', id: seq, ops: [{ op: record.id }] });
  return by.snapshot(record.id, (snapshot) => snapshot.seq >= seq);
}

const startedAt = new Date().toISOString();
const running = (): CompleteRecord => moved(copyRecord({ owner: 'u1', startedAt }), 400.5, 1234.56);
const examples: Record<OperationState, OperationRecord> = {
  queued: copyRecord({ state: 'queued', queuePosition: 2, startedAt: null, phaseIndex: -1, bytes: null }),
  running: running(),
  paused: { ...running(), state: 'paused', stateReason: { code: 'disk_full', params: { freeBytes: 12 } } },
  cancelling: { ...running(), state: 'cancelling' },
  interrupted: { ...running(), state: 'interrupted', stateReason: { code: 'server_restarted' } },
  succeeded: ended(running(), { result: { kind: 'image', id: 101 } }),
  failed: ended(running(), {
    state: 'failed',
    error: { code: 'io_error', message: 'The disk failed.', hint: '', detail: 'EIO' },
  }),
  cancelled: ended(running(), { state: 'cancelled' }),
};

describe('the JSON Schema of a snapshot', () => {
  it.each(Object.entries(examples))('accepts a snapshot that is %s, in both views', async (state, record) => {
    const full = await received({ ...record, sinceProgressMs: 0.25, etaMs: 1000.5 });
    expect(full.state).toBe(state);
    expect(schemaErrors(full)).toEqual([]);
    const shown = await received(record, publicClient);
    expect(shown).toMatchObject({ state, ownerName: '' });
    expect(schemaErrors(shown)).toEqual([]);
  });

  it('accepts a snapshot whose texts were cut', async () => {
    const name = 'é'.repeat(1000);
    const snapshot = await received({
      ...running(),
      label: name,
      subject: { kind: 'image', id: 'a', name },
      warnings: [name, name, name, name],
    });
    expect(snapshot.subject.name).toMatch(/…$/);
    expect(schemaErrors(snapshot)).toEqual([]);
  });

  it('accepts a field that a later version adds', async () => {
    const snapshot = await received(running());
    expect(schemaErrors({ ...snapshot, weather: 'windy' })).toEqual([]);
  });

  it('refuses a snapshot without one of its fields', async () => {
    const snapshot = await received(running());
    expect(Object.keys(snapshot).length).toBeGreaterThan(28);
    for (const field of Object.keys(snapshot)) {
      const { [field as keyof Snapshot]: _, ...incomplete } = snapshot;
      expect(schemaErrors(incomplete), field).toHaveLength(1);
    }
  });

  it.each([
    ['a state that does not exist', { state: 'finished' }],
    ['a fraction of a seq', { seq: 1.5 }],
    ['a duration with a fraction', { elapsedMs: 0.5 }],
    ['a negative duration', { sinceProgressMs: -1 }],
    ['an empty id', { id: '' }],
    ['an id of 65 characters', { id: 'a'.repeat(65) }],
    ['a time that is not ISO 8601', { at: 'yesterday' }],
    ['a current phase without its numbers', { phases: [{ name: 'copy', state: 'running', done: 3 }] }],
    ['a subject without a kind', { subject: { id: 1, name: 'a' } }],
  ])('refuses %s', async (_, changes) => {
    expect(schemaErrors({ ...(await received(running())), ...changes })).not.toEqual([]);
  });
});
