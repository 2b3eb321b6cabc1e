import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { HypervisorError } from './hypervisor-error.ts';

/** Absolute, so that nothing in a PATH can stand in for it. */
const places = ['/usr/bin/qemu-img', '/usr/local/bin/qemu-img', '/bin/qemu-img'];
const longestMs = 60_000;

/**
 * Runs `qemu-img` with a list of arguments, never through a shell, in an environment of its own.
 * @throws HypervisorError `packages_missing`, `failed` with what it said
 */
async function run(args: readonly string[]): Promise<void> {
  const path = await find();
  const env = { LC_ALL: 'C', PATH: '/usr/bin:/bin' };
  await new Promise<void>((resolve, reject) => {
    const options = {
      env,
      timeout: longestMs,
      maxBuffer: 65_536,
    };
    execFile(path, args, options, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(new HypervisorError('failed', { detail: `qemu-img: ${stderr.trim()}`, cause: error }));
    });
  });
}

async function find(): Promise<string> {
  for (const path of places) {
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  throw new HypervisorError('packages_missing', { packages: ['qemu-utils'] });
}

/** An empty qcow2 image. */
export function createQcow2(path: string, sizeBytes: number): Promise<void> {
  return run(['create', '-q', '-f', 'qcow2', '--', path, String(sizeBytes)]);
}

/** An empty qcow2 image over a base, whose format is named: it is never guessed. */
export function createOverlay(
  path: string,
  { base, sizeBytes }: { base: { path: string; format: 'raw' | 'qcow2' }; sizeBytes: number },
): Promise<void> {
  const below = ['-b', base.path, '-F', base.format];
  return run(['create', '-q', '-f', 'qcow2', ...below, '--', path, String(sizeBytes)]);
}

/** Only ever larger: whoever calls has compared the sizes. */
export function resizeQcow2(path: string, sizeBytes: number): Promise<void> {
  return run(['resize', '-q', '-f', 'qcow2', '--', path, String(sizeBytes)]);
}
