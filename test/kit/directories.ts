import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made = new Set<string>();

// A crashed test must not leave gigabytes in the temporary directory.
process.on('exit', () => {
  for (const path of made) rmSync(path, { recursive: true, force: true });
});

export interface Workspace {
  readonly path: string;
  remove(): void;
}

/** Makes a new directory below the system's temporary directory. */
export function makeWorkspace(purpose: string): Workspace {
  const path = mkdtempSync(join(tmpdir(), `wcc-${purpose}-`));
  made.add(path);
  const remove = (): void => {
    // Child processes of an ended browser may still write for a moment, so this retries for up to 5.5 s.
    rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    made.delete(path);
  };
  return { path, remove };
}
