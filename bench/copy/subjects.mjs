import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const one = fileURLToPath(new URL('one.mjs', import.meta.url));

/** Measures a shell command. Removes the target before and after, outside the measured time. */
export function timeCommand(command, target) {
  rmSync(target, { force: true });
  execFileSync('sync');
  const startedMs = performance.now();
  const { status, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  const elapsedMs = performance.now() - startedMs;
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
  rmSync(target);
  return elapsedMs;
}

/** Measures one copy in a new Node process, by that process's own clock. */
export function timeChild(way, source, target) {
  rmSync(target, { force: true });
  execFileSync('sync');
  const output = execFileSync(process.execPath, [one, way, source, target], { encoding: 'utf8' });
  rmSync(target);
  return Number(output);
}
