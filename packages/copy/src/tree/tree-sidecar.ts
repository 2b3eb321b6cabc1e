import { readFileSync } from 'node:fs';
import { maxSidecarBytes, packTarget, unpackTarget } from '../contract/checkpoint.ts';
import type { TreeTotals } from '../contract/tree.ts';
import { parseTreeSidecar } from '../contract/tree-sidecar.ts';
import type { TreeSidecar } from '../contract/tree-sidecar.ts';
import { readHiddenFile, replaceHiddenFile } from '../storage/hidden-file.ts';
import type { TreeContext } from './context.ts';
import type { DirectoryChain } from './directory-chain.ts';

export function sidecarName({ request }: TreeContext): Buffer {
  return Buffer.from(`.wcc-${request.id}.json`);
}

/** The sidecar of this tree and id; null if there is none, or it is not one of this version. */
export function readTreeSidecar(context: TreeContext, parent: DirectoryChain): TreeSidecar | null {
  const text = readHiddenFile(parent.at(sidecarName(context)), maxSidecarBytes);
  const value = text === null ? null : parseTreeSidecar(text);
  if (value?.operation !== context.request.id) return null;
  return unpackTarget(value.target).equals(targetOf(context)) ? value : null;
}

function targetOf({ request }: TreeContext): Buffer {
  return Buffer.from(request.roots.destination.name ?? []);
}

/**
 * Replaces the sidecar atomically. Only `publishing` must survive a power cut: after one, the phase `copy` starts again.
 */
export function writeTreeSidecar(
  context: TreeContext,
  parent: DirectoryChain,
  facts: { phase: TreeSidecar['phase']; stagingInode: bigint; sourceInode: bigint; totals: TreeTotals },
): void {
  const { request } = context;
  const name = sidecarName(context);
  const temporary = Buffer.concat([name, Buffer.from('.tmp')]);
  const isDurable = request.durable && facts.phase === 'publishing';
  const sidecar: TreeSidecar = {
    version: 1,
    kind: 'tree',
    operation: request.id,
    phase: facts.phase,
    bootId: readBootId(),
    stagingInode: String(facts.stagingInode),
    sourceInode: String(facts.sourceInode),
    target: packTarget(targetOf(context)),
    totals: facts.totals,
  };
  const file = { path: parent.at(name), temporary: parent.at(temporary), directoryFd: parent.fd };
  parent.run(name, () => replaceHiddenFile(file, JSON.stringify(sidecar), isDurable));
}

/** Empty if the system does not say: then no earlier run is trusted. */
export function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}
