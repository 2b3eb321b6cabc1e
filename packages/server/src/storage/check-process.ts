import { readFileSync } from 'node:fs';
import LibsqlDatabase from 'libsql';
import { checkDatabase, checkExit } from './check.ts';
import { StoreError } from './errors.ts';
import { wrapDatabase } from './wrap-database.ts';

/** Checks the database that its standard input names. Started by `background-check.ts`. */
const database = wrapDatabase(new LibsqlDatabase(readFileSync(0, 'utf8'), { readonly: true }));
try {
  checkDatabase(database);
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  process.stdout.write(`${error.message}\n`);
  process.exitCode = checkExit.damaged;
} finally {
  database.close();
}
