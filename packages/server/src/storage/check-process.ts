import { readFileSync } from 'node:fs';
import { checkDatabase, checkExit } from './check.ts';
import { StoreError } from './errors.ts';
import { openReadOnly } from './inspection/open-read-only.ts';
import { wrapDatabase } from './wrap-database.ts';

/** Checks the database that its standard input names. Started by `start-check.ts`. */
const database = wrapDatabase(openReadOnly(readFileSync(0, 'utf8')));
try {
  checkDatabase(database);
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  process.stdout.write(`${error.message}\n`);
  process.exitCode = checkExit.damaged;
} finally {
  database.close();
}
