import { exitCodes } from './exit-codes.ts';

/** A reader that has enough, such as `head`, is no failure. Output that is lost otherwise is one. */
export function endOnLostOutput({ stdout, stderr }: NodeJS.Process): void {
  stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.exit(exitCodes.ok.code);
    stderr.write(`wcc: Cannot write the output: ${message}\n`);
    process.exit(exitCodes.local_file.code);
  });
  // Nowhere is left to report it.
  stderr.on('error', () => {});
}
