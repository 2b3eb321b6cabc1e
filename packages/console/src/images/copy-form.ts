import { findImageNameProblem } from '@wcc/api';
import type { CopyImageRequest, CopyMethodChoice, CopyPlan, ImageNameProblem } from '@wcc/api';

export interface CopyForm {
  name: string;
  method: CopyMethodChoice;
  /** As typed, in MiB/s; empty for no limit. */
  limit: string;
  verify: boolean;
}

export type CopyNameProblem = ImageNameProblem | 'taken' | null;

const mib = 1_048_576;
const minMib = 0.1;

/** The first free name of `debian-copy.qcow2`, `debian-copy-2.qcow2` and so on. */
export function proposeCopyName(name: string, isTaken: (name: string) => boolean): string {
  const dot = name.lastIndexOf('.');
  const base = dot > 0 ? name.slice(0, dot) : name;
  const extension = dot > 0 ? name.slice(dot) : '';
  let proposal = `${base}-copy${extension}`;
  for (let number = 2; isTaken(proposal); number += 1) proposal = `${base}-copy-${number}${extension}`;
  return proposal;
}

/** Problem with a name: the rules for names first, then the server's answer. */
export function checkCopyName(name: string, plan: CopyPlan | null): CopyNameProblem {
  return findImageNameProblem(name) ?? (plan?.nameTaken === true ? 'taken' : null);
}

/** Bytes per second; `null` for no limit; `undefined` for a malformed number. */
export function parseLimit(text: string): number | null | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  const value = Number(trimmed.replace(',', '.'));
  return Number.isFinite(value) && value >= minMib ? Math.round(value * mib) : undefined;
}

export function toRequest(form: CopyForm): CopyImageRequest | null {
  const bytesPerSecond = parseLimit(form.limit);
  if (bytesPerSecond === undefined) return null;
  return { name: form.name, method: form.method, bytesPerSecond, verify: form.verify };
}

/** Whether the copy is expected to share blocks. */
export function sharesBlocks(form: Pick<CopyForm, 'method'>, plan: CopyPlan): boolean {
  return plan.clonePossible && form.method !== 'copy';
}
