import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Downloads a package and unpacks it without installing it. */
export function unpack(name: string, target: string): void {
  mkdirSync(target, { recursive: true });
  execFileSync('apt-get', ['download', '-q', name], { cwd: target, stdio: 'inherit' });
  const file = readdirSync(target).find((entry) => entry.startsWith(`${name}_`));
  if (file === undefined) throw new Error(`apt-get downloaded no ${name}`);
  execFileSync('dpkg-deb', ['-x', join(target, file), target]);
}
