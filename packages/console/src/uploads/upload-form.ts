import { findImageNameProblem, isSameName, nameSkeleton } from '@wcc/api';
import type { Image, ImageNameProblem, Upload } from '@wcc/api';
import type { FileKind } from './engine/kind.ts';
import type { NewUpload } from './engine/tus.ts';

/** A chosen file, before its upload exists. */
export interface ChosenFile {
  /** Identifies the file in the list; names may repeat. */
  key: number;
  file: File;
  /** Name of the new image. */
  name: string;
  sha256: string;
  /** `null` until detected. */
  kind: FileKind | 'unreadable' | null;
  /** An unfinished upload that is probably of this file. */
  unfinished: Upload | null;
  /** Whether to resume that upload instead of starting a new one. */
  isResuming: boolean;
  /** Why the server refused the file. */
  problem: unknown;
}

export function chooseFile(key: number, file: File): ChosenFile {
  return {
    key,
    file,
    name: file.name,
    sha256: '',
    kind: null,
    unfinished: null,
    isResuming: false,
    problem: null,
  };
}

/** Similarity of a file and an unfinished upload. A name counts more than a time, which many files share. */
const similarities = [3, 2, 1] as const;

/** Compares size, name and time only. The server compares the content. */
function similarityOf({ name, size, lastModified }: File, upload: Upload): number {
  if (upload.sizeBytes !== size) return 0;
  return (isSameName(upload.name, name) ? 2 : 0) + (upload.lastModified === lastModified ? 1 : 0);
}

/** Assigns to each file the unfinished upload that is most similar to it, and each upload at most once. */
export function matchUnfinished(chosen: readonly ChosenFile[], unfinished: readonly Upload[]): ChosenFile[] {
  const matched = [...chosen];
  const free = new Set(unfinished);
  for (const each of chosen) if (each.unfinished !== null) free.delete(each.unfinished);
  for (const similarity of similarities)
    for (const [index, each] of matched.entries()) {
      if (each.unfinished !== null) continue;
      const own = [...free].find((upload) => similarityOf(each.file, upload) === similarity);
      if (own === undefined) continue;
      free.delete(own);
      matched[index] = { ...each, unfinished: own, isResuming: true };
    }
  return matched;
}

/** Unfinished uploads that none of the files resumes. */
export function unmatchedUploads(chosen: readonly ChosenFile[], unfinished: readonly Upload[]): Upload[] {
  const taken = new Set(chosen.map((each) => (each.isResuming ? each.unfinished?.id : undefined)));
  return unfinished.filter(({ id }) => !taken.has(id));
}

export type FileProblem =
  ImageNameProblem | 'taken' | 'twice' | 'bad_digest' | 'empty' | 'unreadable' | 'refused_kind' | null;

const skeletonsOf = new WeakMap<readonly Image[], ReadonlySet<string>>();

/**
 * Whether an image has this name, or one that looks like it. Computes the skeletons once for each list, because the
 * dialog asks for every file at every progress of an operation.
 */
export function hasImageLike(images: readonly Image[], name: string): boolean {
  const known = skeletonsOf.get(images);
  if (known !== undefined) return known.has(nameSkeleton(name));
  const present = images.filter(({ state }) => state !== 'missing');
  skeletonsOf.set(images, new Set(present.map((image) => nameSkeleton(image.name))));
  return hasImageLike(images, name);
}

/** The most serious problem of a file; `null` when there is none. */
export function checkFile(
  chosen: ChosenFile,
  all: readonly ChosenFile[],
  isTaken: (name: string) => boolean,
): FileProblem {
  const { kind, name, file, sha256 } = chosen;
  if (file.size === 0) return 'empty';
  if (kind === 'unreadable') return 'unreadable';
  if (kind !== null && kind.refusal !== null) return 'refused_kind';
  if (chosen.isResuming) return null;
  const problem = findImageNameProblem(name);
  if (problem !== null) return problem;
  if (isTaken(name)) return 'taken';
  const isTwice = all.some(
    (other) => other !== chosen && !other.isResuming && nameSkeleton(other.name) === nameSkeleton(name),
  );
  if (isTwice) return 'twice';
  return sha256.trim() === '' || isDigest(sha256) ? null : 'bad_digest';
}

/** Whether the problem is about the name. */
export function isAboutName(verdict: FileProblem): boolean {
  return verdict !== null && !['bad_digest', 'empty', 'unreadable', 'refused_kind'].includes(verdict);
}

export function isDigest(text: string): boolean {
  return /^[0-9a-f]{64}$/i.test(text.trim());
}

/** Free space that the pool needs for all files. An unfinished upload has its space reserved already. */
export function neededBytes(all: readonly ChosenFile[]): number {
  return all.reduce((sum, { file, isResuming }) => sum + (isResuming ? 0 : file.size), 0);
}

/** Whether the content does not match the extension. The dialog shows this as a warning. */
export function isMisnamed({ kind, name }: ChosenFile): boolean {
  const extension = /\.([^.]+)$/.exec(name.toLowerCase())?.[1] ?? '';
  const format = kind === null || kind === 'unreadable' ? null : kind.format;
  if (format === 'iso') return extension === 'qcow2';
  return (format === 'qcow2' || format === 'raw') && extension === (format === 'raw' ? 'qcow2' : 'iso');
}

/** The request to create the upload. */
export function toNewUpload({ file, name, sha256 }: ChosenFile, pool: string): NewUpload {
  const digest = sha256.trim().toLowerCase();
  return {
    name,
    sizeBytes: file.size,
    lastModified: file.lastModified,
    pool,
    ...(digest === '' ? {} : { sha256: digest }),
  };
}
