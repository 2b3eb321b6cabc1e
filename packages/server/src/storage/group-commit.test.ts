import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Connection } from './connection-type.ts';
import { openConnection } from './connection.ts';
import { commitGroup } from './group-commit.ts';
import type { BatchStatement } from './messages.ts';

let directory: string;
let connection: Connection;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'wcc-group-'));
  connection = openConnection(join(directory, 'wcc.sqlite'));
});
afterEach(() => {
  connection.close();
  rmSync(directory, { recursive: true });
});

const insert = (key: string): BatchStatement[] => [
  { sql: 'insert into settings (key, value) values (?, ?)', parameters: [key, 'x'], expectRows: 1 },
];
const count = (): unknown => connection.run('select count(*) as n from settings', []).rows;

/** The real connection; it records statements and can fail at one of them. */
function recording(failAt?: string): { connection: Connection; executed: string[] } {
  const executed: string[] = [];
  return {
    executed,
    connection: {
      ...connection,
      exec(sql) {
        executed.push(sql);
        if (sql === failAt) throw new Error('the disk is full');
        connection.exec(sql);
      },
    },
  };
}

it('a group of 1,000 batches is written with one commit', () => {
  const { connection: recorded, executed } = recording();
  const outcomes = commitGroup(
    recorded,
    Array.from({ length: 1000 }, (_, index) => insert(String(index))),
  );
  expect(outcomes.every((outcome) => 'results' in outcome)).toBe(true);
  expect(executed.filter((sql) => sql === 'commit')).toHaveLength(1);
  expect(count()).toEqual([{ n: 1000 }]);
});

it('a failed commit fails every batch, and the next group is written', () => {
  const outcomes = commitGroup(recording('commit').connection, [insert('a'), insert('b')]);
  const full = { error: expect.objectContaining({ message: 'the disk is full' }) as unknown };
  expect(outcomes).toEqual([full, full]);
  expect(count()).toEqual([{ n: 0 }]);
  expect(commitGroup(connection, [insert('a')])).toMatchObject([{ results: [{ changes: 1 }] }]);
});

it('a transaction that SQLite rolls back fails every batch', () => {
  // As on a full disk: the statement fails, and SQLite rolls the whole transaction back.
  const rollsBack: BatchStatement[] = [
    { sql: 'insert or rollback into settings values (?, ?)', parameters: ['a', 'y'], expectRows: null },
  ];
  const outcomes = commitGroup(connection, [insert('a'), rollsBack, insert('b')]);
  expect(outcomes.map((outcome) => 'error' in outcome)).toEqual([true, true, true]);
  expect(count()).toEqual([{ n: 0 }]);
});
