import { constants, openSync } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import type { ExtentList } from './extent-list.ts';
import type { OpenSource } from './source.ts';
import { initialFacts } from '../contract/facts.ts';
import type { CopyContinuation, CopyRequest } from '../contract/messages.ts';
import { openSlot } from '../contract/slot.ts';
import type { SlotWriter } from '../contract/slot.ts';
import type { CopyFacts, CopyPhaseEvent, CopyPhaseName, FileIdentity } from '../contract/types.ts';
import { loadKernel } from '../kernel/calls.ts';
import type { Kernel } from '../kernel/calls.ts';
import { toCopyError } from '../kernel/errno.ts';
import { createPhaseLog } from './phase-log.ts';
import type { PhaseLog } from './phase-log.ts';
import { closeFile } from '../storage/close-file.ts';
import { heldPath } from '../storage/held-directory.ts';
import { hiddenPaths, joinPath, showPath, splitPath } from '../storage/paths.ts';
import type { HiddenPaths } from '../storage/paths.ts';

/** The partial file while this copy has it open. */
export interface OpenPartial {
  fd: number;
  inode: bigint;
}

/** The paths of a copy, all through the descriptor of its directory. Messages name the caller's path instead. */
export interface CopyPaths extends HiddenPaths {
  directory: Buffer;
  target: Buffer;
}

/** The state of one run of a copy. Each phase receives it. */
export interface CopyRun {
  readonly request: CopyRequest;
  readonly slot: SlotWriter;
  /** Null: the copy uses Node's own fs. */
  readonly kernel: Kernel | null;
  readonly directoryFd: number;
  readonly targetName: Buffer;
  readonly paths: CopyPaths;
  readonly facts: CopyFacts;
  readonly warnings: string[];
  readonly phases: PhaseLog;
  readonly startedMs: number;
  source: OpenSource | null;
  /** The data ranges of the source, which are looked up once. */
  extents: ExtentList | null;
  /** The newest state of the source that its copy was compared with; null: the state at its opening. */
  sourceIdentity: FileIdentity | null;
  partial: OpenPartial | null;
  /** Everything before this offset is copied. */
  copiedOffset: bigint;
  /** Bytes of the source that are not in holes. `facts` has a number, which is exact only up to 2^53. */
  dataBytes: bigint;
  /** Data bytes before `copiedOffset`. */
  copiedBytes: bigint;
  writtenBytes: bigint;
  /** True when a sidecar of this id matches the partial. This run wrote or found that sidecar. */
  hasCheckpoint: boolean;
  /** True when a write-back failed. A later flush then succeeds even if earlier bytes are lost. */
  flushFailed: boolean;
  /** True when this run has begun from a checkpoint. */
  resumed: boolean;
  /** A long pause has ended this run; a later run continues the copy. */
  isParked: boolean;
  /** The verification has compared every byte before this offset. */
  verifiedOffset: bigint;
  published: boolean;
}

export function createRun(request: CopyRequest, emit: (event: CopyPhaseEvent) => void): CopyRun {
  const { directory, name } = splitPath(request.destination);
  const slot = openSlot(request.memory);
  const { continues } = request;
  const facts = { ...(continues?.facts ?? initialFacts()) };
  const directoryFd = openDirectory(directory);
  const held = heldPath(directoryFd, directory);
  return {
    request,
    slot,
    kernel: request.native === 'off' ? null : loadKernel(),
    directoryFd,
    targetName: name,
    paths: { directory: held, target: joinPath(held, name), ...hiddenPaths(held, request.id) },
    facts,
    warnings: [...(continues?.warnings ?? [])],
    phases: createPhaseLog({ slot, facts, emit }, earlierPhases(continues)),
    startedMs: performance.now() - (continues === null ? 0 : continues.elapsedMs + parkedMs(continues)),
    source: null,
    extents: null,
    sourceIdentity: null,
    partial: null,
    dataBytes: 0n,
    copiedOffset: 0n,
    copiedBytes: 0n,
    writtenBytes: 0n,
    hasCheckpoint: false,
    flushFailed: false,
    resumed: false,
    isParked: false,
    verifiedOffset: continues?.verifiedOffset ?? 0n,
    published: false,
  };
}

function parkedMs({ parkedAtNs }: CopyContinuation): number {
  return Number(process.hrtime.bigint() - parkedAtNs) / 1e6;
}

/** The phases before this run. The pause belongs to the last one, which continues. */
function earlierPhases(continues: CopyContinuation | null): CopyContinuation['phases'] {
  if (continues === null) return [];
  const pausedMs = parkedMs(continues);
  const last = continues.phases.length - 1;
  return continues.phases.map(({ name, elapsedMs }, index) => ({
    name,
    elapsedMs: index === last ? elapsedMs + pausedMs : elapsedMs,
  }));
}

/** Starts a phase. `totalBytes` is set for phases that count bytes. */
export function beginPhase(run: CopyRun, phase: CopyPhaseName, totalBytes: bigint | null = null): void {
  const doneBytes = phase === 'transfer' ? run.copiedBytes : 0n;
  run.phases.begin(phase, { totalBytes, doneBytes });
}

function openDirectory(directory: Buffer): number {
  try {
    return openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw toCopyError(error, { path: showPath(directory) });
  }
}

/** Closes every file. The partial is flushed by then, or closed and opened again (`settlePartial`), or given up. */
export function closeRun(run: CopyRun): void {
  for (const fd of [run.source?.fd, run.partial?.fd, run.directoryFd]) {
    if (fd !== undefined) closeFile(fd);
  }
}

/** The open source, which every phase after the first has. */
export function sourceOf(run: CopyRun): OpenSource {
  if (run.source === null) throw new CopyError('worker_failed', { detail: 'source is not open' });
  return run.source;
}

/** The data ranges of the source, which every phase after the first has. */
export function extentsOf(run: CopyRun): ExtentList {
  if (run.extents === null) throw new CopyError('worker_failed', { detail: 'source is not inspected' });
  return run.extents;
}

/** The partial, which every phase after `reserve` has. */
export function partialOf(run: CopyRun): OpenPartial {
  if (run.partial === null) throw new CopyError('worker_failed', { detail: 'partial is not open' });
  return run.partial;
}

/** Runs a step on the destination. Its errors name the destination and the offset, not the hidden partial. */
export function withDestinationErrors<T>(run: CopyRun, step: () => T, offset?: bigint): T {
  try {
    return step();
  } catch (error) {
    throw toCopyError(error, { path: showPath(run.request.destination), ...offsetDetail(offset) });
  }
}

/** Runs a step on the source. Its errors name the source and the offset. */
export function withSourceErrors<T>(run: CopyRun, step: () => T, offset?: bigint): T {
  try {
    return step();
  } catch (error) {
    throw toCopyError(error, { path: showPath(run.request.source), ...offsetDetail(offset) });
  }
}

function offsetDetail(offset: bigint | undefined): { offset?: number } {
  return offset === undefined ? {} : { offset: Number(offset) };
}
