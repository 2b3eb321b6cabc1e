// Tarballs of all workspaces, as they are published. npm writes the same time into each file.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** The libraries contain their API reference, which typedoc makes. */
const documented = ['copy', 'progress'];

export function packNpm({ source, out }) {
  for (const name of documented)
    execFileSync(process.execPath, [join(source, 'scripts/reference.mjs'), name], {
      cwd: source,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  const args = ['pack', '--workspaces', '--ignore-scripts', '--loglevel=error', '--pack-destination', out];
  execFileSync('npm', args, { cwd: source, stdio: ['ignore', 'inherit', 'inherit'] });
}
