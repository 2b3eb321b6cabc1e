import { expect, it } from 'vitest';
import { closeCodes } from '../core/protocol.ts';
import { finalCodes } from './connection.ts';
import { statusBase } from './wire.ts';

it('the client stops at the close codes of the protocol that stand for the end, and at the same HTTP statuses', () => {
  expect(finalCodes).toEqual({
    no_session: 'no_session',
    other_version: 'other_version',
    [closeCodes.malformed]: 'other_version',
    [closeCodes.sessionEnded]: 'no_session',
    [closeCodes.tooManyConnections]: 'too_many_connections',
    [statusBase + 403]: 'forbidden',
  });
  const statuses = [400, 401, 503].map((status) => statusBase + status);
  expect([closeCodes.malformed, closeCodes.sessionEnded, closeCodes.shutdown]).toEqual(statuses);
});
