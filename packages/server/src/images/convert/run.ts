import { ApiError } from '@wcc/api';
import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { nameQcow2 } from '../foreign/name-qcow2.ts';
import { closeOf, collect } from '../tools/run-tool.ts';
import { inheritedPath, spawnTool } from '../tools/spawn-tool.ts';
import { hasWritten, storageFailureOf } from '../tools/storage-failure.ts';
import type { ConvertInput } from './input.ts';

export interface ConversionOptions {
  source: FileHandle;
  target: FileHandle;
  input: Pick<ConvertInput, 'sourceFormat' | 'format' | 'compress' | 'virtualSizeBytes' | 'dataBytes'>;
  signal: AbortSignal;
  onDone: (doneBytes: number) => void;
  /** Called with the running program, so that it can be paused. */
  onStart: (child: ChildProcess) => void;
}

/** The most that qemu-img allows: writes past the page cache are slow one after the other. */
const parallelReads = 16;
const pollMs = 100;
/** `-p` reports whole per cents; between two reports, the bytes that were read are more precise. */
const stepPercent = 1.5;

/**
 * Runs `qemu-img convert` on two open files. It gets both formats and no path, so that the source cannot name
 * another file, and no one can exchange a file. The target is written past the page cache where its file system can
 * do that: then the flush at the end has little to write.
 *
 * @throws ApiError `no_space`, `io_error`, `tool_missing`; the reason of `signal`
 */
export async function runConversion(options: ConversionOptions): Promise<void> {
  const direct = await runQemuImg(options, ['-t', 'none']);
  const run = refusesDirectIo(direct) ? await runQemuImg(options, []) : direct;
  if (!hasWritten(run)) throw conversionFailure(run.stderr, run.by ?? `it ended with ${run.code}`);
  if (options.input.format === 'raw') await cutPadding(options);
}

/** A block of a file system, or a page of memory: the most to which QEMU rounds the length of a file up. */
const maxBlockBytes = 64 * 1024;

/** Past the page cache, QEMU writes whole blocks, so a raw image would become longer than its source. */
async function cutPadding({ target, input }: ConversionOptions): Promise<void> {
  const paddingBytes = (await target.stat()).size - input.virtualSizeBytes;
  if (paddingBytes > 0 && paddingBytes < maxBlockBytes) await target.truncate(input.virtualSizeBytes);
}

interface QemuImgRun {
  code: number | null;
  by: NodeJS.Signals | null;
  stderr: string;
}

/** File systems without `O_DIRECT` refuse to open the target, or its first write. */
function refusesDirectIo({ code, stderr }: QemuImgRun): boolean {
  return code !== 0 && /O_DIRECT|Invalid argument/.test(stderr);
}

async function runQemuImg(options: ConversionOptions, cache: readonly string[]): Promise<QemuImgRun> {
  const { source, target, input, signal } = options;
  const { sourceFormat, format, compress, virtualSizeBytes, dataBytes } = input;
  signal.throwIfAborted();
  const formats = ['-f', sourceFormat, '-O', format];
  const from = sourceFormat === 'qcow2' ? await nameQcow2(source) : inheritedPath(0);
  const files = [from, inheritedPath(1)];
  // Compressed clusters are packed in the order in which they are written.
  const order = compress ? ['-c'] : ['-W'];
  const child = spawnTool({
    tool: 'qemu-img',
    args: ['convert', '-p', '-m', String(parallelReads), ...cache, ...order, ...formats, ...files],
    limits: {
      cpuSeconds: null,
      addressSpaceBytes: 4 * 1024 ** 3,
      fileBytes: virtualSizeBytes + Math.ceil(virtualSizeBytes / 1024) + 64 * 1024 ** 2,
    },
    files: [source.fd, target.fd],
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  const stderr = collect(child.stderr);
  const stopFollowing = follow(child, { dataBytes, onDone: options.onDone });
  try {
    options.onStart(child);
    if (signal.aborted) kill();
    const { code, by } = await closeOf(child);
    signal.throwIfAborted();
    return { code, by, stderr: stderr() };
  } finally {
    stopFollowing();
    signal.removeEventListener('abort', kill);
  }
}

/**
 * The reason for a failure of qemu-img. Its output stays in the log, because it quotes the file.
 * @param end how the program ended, for the log
 */
export function conversionFailure(stderr: string, end: string): ApiError {
  const cause = new Error(`qemu-img convert: ${end}: ${stderr.slice(0, 500)}`);
  const code = storageFailureOf(stderr);
  if (code !== null) return new ApiError(code, { cause });
  return new ApiError('tool_failed', { message: 'qemu-img could not convert the image.', cause });
}

/**
 * Follows the progress, by the output and by the bytes that the kernel counts. @returns a function that stops
 * the updates
 */
function follow(
  child: ChildProcess,
  { dataBytes, onDone }: { dataBytes: number; onDone: (doneBytes: number) => void },
): () => void {
  let percent = 0;
  let base: number | null = null;
  child.stdout?.on('data', (text: Buffer) => {
    const newest = [...text.toString('latin1').matchAll(/\((\d+\.\d+)\/100%\)/g)].at(-1)?.[1];
    if (newest !== undefined) percent = Math.max(percent, Number(newest));
  });
  const readProgress = async (): Promise<void> => {
    const read = await readBytes(child.pid);
    if (read === null) return;
    base ??= read;
    onDone(between(read - base, { percent, dataBytes }));
  };
  const timer = setInterval(() => {
    // The program may end between two reads.
    readProgress().catch(() => {});
  }, pollMs);
  return () => clearInterval(timer);
}

/** The bytes that were read, limited to the step that the program has reported. */
export function between(
  readBytesSoFar: number,
  { percent, dataBytes }: { percent: number; dataBytes: number },
): number {
  const lowest = Math.floor((dataBytes * percent) / 100);
  const highest = Math.floor((dataBytes * Math.min(100, percent + stepPercent)) / 100);
  return Math.min(highest, Math.max(lowest, readBytesSoFar));
}

/** `rchar` of proc_pid_io(5): bytes that all its threads have read. */
async function readBytes(pid: number | undefined): Promise<number | null> {
  if (pid === undefined) return null;
  const text = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '');
  const found = /^rchar: (\d+)$/m.exec(text)?.[1];
  return found === undefined ? null : Number(found);
}
