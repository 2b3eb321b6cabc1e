import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made = new Set<string>();

// A test that dies half-way must not leave gigabytes in the temporary directory.
process.on('exit', () => {
  for (const path of made) rmSync(path, { recursive: true, force: true });
});

export interface Workspace {
  readonly path: string;
  remove(): void;
}

/** A directory of one's own below the system's temporary directory. */
export function makeWorkspace(purpose: string): Workspace {
  const path = mkdtempSync(join(tmpdir(), `wcc-${purpose}-`));
  made.add(path);
  const remove = (): void => {
    // A browser that has ended leaves children behind that write for a moment more: up to 5.5 s of tries.
    rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    made.delete(path);
  };
  return { path, remove };
}
