import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A line for `sha256sum --check`, `md5sum --check` and the like. @param name as the line has it, in the folder */
export function sumLine(algorithm, folder, name) {
  const sum = createHash(algorithm).update(readFileSync(join(folder, name)));
  return `${sum.digest('hex')}  ${name}\n`;
}

/** Writes SHA256SUMS for `sha256sum --check`. */
export function writeSums(out) {
  const names = readdirSync(out).filter((name) => name !== 'SHA256SUMS');
  const lines = names.toSorted().map((name) => sumLine('sha256', out, name));
  writeFileSync(join(out, 'SHA256SUMS'), lines.join(''));
}
