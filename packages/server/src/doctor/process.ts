import { readFileSync } from 'node:fs';
import { examine } from './examine.ts';
import type { ExamineOptions } from './examine.ts';

/** Runs all checks with the settings in its standard input, and prints the report. Started by `create-doctor.ts`. */
const options = JSON.parse(readFileSync(0, 'utf8')) as ExamineOptions;
process.stdout.write(JSON.stringify(await examine(options)), () => {
  // A check that hangs must not keep the process.
  process.exit(0);
});
