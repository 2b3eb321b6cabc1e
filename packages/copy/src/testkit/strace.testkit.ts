import { execFileSync } from 'node:child_process';

/** The reason why system calls cannot be made to fail here; null if they can. */
export function whyNoStrace(): string | null {
  try {
    execFileSync('strace', ['-e', 'trace=none', 'true'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'strace is not installed, or may not trace here';
  }
}

/**
 * The command prefix under which system calls of a child fail, on any thread and also when koffi makes the call.
 * @param failures for example `close:error=EIO:when=1`
 * @param files only calls that name one of these paths; default: every call
 */
export function failingCalls(failures: readonly string[], files: readonly string[] = []): string[] {
  const calls = failures.map((failure) => failure.split(':', 1)[0]).join(',');
  // strace cannot select paths inside the kernel.
  const selection = files.length === 0 ? ['--seccomp-bpf'] : files.flatMap((path) => ['-P', path]);
  const injections = failures.flatMap((failure) => ['-e', `inject=${failure}`]);
  return ['strace', '-f', '-qq', '-o', '/dev/null', ...selection, '-e', `trace=${calls}`, ...injections];
}
