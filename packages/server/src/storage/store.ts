import type { OnError } from '@wcc/progress/server';
import type { CompiledQuery } from 'kysely';
import { Kysely } from 'kysely';
import type { BallastState } from './keep-ballast.ts';
import { keepBallast } from './keep-ballast.ts';
import type { ChannelStatus } from './channel.ts';
import { openChannel } from './channel.ts';
import { checkInBackground } from './background-check.ts';
import { createWorkerDialect } from './dialect.ts';
import type { StoreError } from './errors.ts';
import type { AuditEntry, BatchStatement, SchemaUpdate, SqlValue, WriteResult } from './messages.ts';
import type { Database } from './schema.ts';

/** A compiled Kysely query. */
export interface Compilable {
  compile(): CompiledQuery;
}

/** One statement of a batch: a query, optionally with the number of rows that it must change, or an audit row. */
export type WriteStatement = { query: Compilable; expectRows?: number } | { audit: AuditEntry };

export type { WriteResult } from './messages.ts';

/** The database of one host. Every call may throw `StoreError`. */
export interface Store {
  /** Executes reads and builds writes; it refuses to execute a write. */
  readonly db: Kysely<Database>;
  /**
   * Writes one atomic batch: all statements in order, or none. Resolves when the batch is durable.
   * @throws StoreConflict when a statement changed another number of rows than `expectRows`
   */
  write(batch: readonly WriteStatement[]): Promise<WriteResult[]>;
  /** What the database can do now. */
  status(): StoreStatus;
  /**
   * Resolves when the database answers at all, an error included, or is known to be away. Pending for ever: it hangs.
   * Never rejects.
   */
  ping(): Promise<void>;
  /** Finishes earlier calls, then closes. */
  close(): Promise<void>;
}

export interface StoreStatus extends ChannelStatus {
  /** Looked at when it is read, not with the rest, which every request asks for. Null: it could not be made. */
  readonly ballast: BallastState | null;
}

export interface StoreOptions {
  onError: OnError;
  /** The database thread has ended for good: the process should end too. @default no call */
  onFatal?: (error: StoreError) => void;
  /** Called before the update of a database of an earlier version, which can take minutes. @default no call */
  onUpdate?: (update: SchemaUpdate) => void;
}

/**
 * Opens the database at `path` in its own worker thread. It creates or migrates the database.
 * @throws StoreError `store_newer`, `store_foreign`, `store_unopenable`, `store_full`, `store_damaged`, `store_backup_failed`
 */
export async function openStore(path: string, options: StoreOptions): Promise<Store> {
  const { onError, onFatal = () => {}, onUpdate = () => {} } = options;
  const channel = await openChannel(path, { onError, onFatal, onUpdate });
  const ballast = await keepBallast(path, { onError, isHeld: () => channel.status().heldBatches > 0 });
  const check = checkInBackground(path, onError);
  const db = new Kysely<Database>({
    dialect: createWorkerDialect((sql, parameters) => channel.read(sql, parameters)),
  });
  return {
    db,
    async write(batch) {
      return channel.write(batch.map(compileStatement));
    },
    status() {
      const status = channel.status();
      return {
        ...status,
        isDamaged: status.isDamaged || check.isDamaged(),
        get ballast() {
          return ballast.state();
        },
      };
    },
    ping: () => channel.ping(),
    async close() {
      ballast.close();
      check.close();
      await channel.close();
    },
  };
}

function compileStatement(statement: WriteStatement): BatchStatement {
  if ('audit' in statement) return statement;
  const { sql, parameters } = statement.query.compile();
  return { sql, parameters: parameters as readonly SqlValue[], expectRows: statement.expectRows ?? null };
}
