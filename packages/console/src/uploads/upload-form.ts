import { findImageNameProblem } from '@wcc/api';
import type { ImageNameProblem, Upload } from '@wcc/api';
import { isRefusedKind } from './engine/kind.ts';
import type { FileKind } from './engine/kind.ts';
import type { NewUpload } from './engine/tus.ts';

/** A file that was chosen, before its upload exists. */
export interface ChosenFile {
  /** Tells two of them apart, whatever their names are. */
  key: number;
  file: File;
  /** Of the image. */
  name: string;
  sha256: string;
  /** `null` until it was looked at. */
  kind: FileKind | 'unreadable' | null;
  /** An unfinished upload that seems to be of this file. */
  unfinished: Upload | null;
  /** Whether that one is gone on with. */
  isResuming: boolean;
  /** Why the server refused it. */
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

/** How well a file goes with an unfinished upload: a name tells more than a time, which many files share. */
const similarities = [3, 2, 1] as const;

/** By what can be known without reading; of another size it is another file. The server compares the content. */
function similarityOf({ name, size, lastModified }: File, upload: Upload): number {
  if (upload.sizeBytes !== size) return 0;
  return (upload.name === name ? 2 : 0) + (upload.lastModified === lastModified ? 1 : 0);
}

/** Each file goes on with the unfinished upload that is most likely its own, and no two with the same one. */
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

/** Those that none of the files goes on with. */
export function unmatchedUploads(chosen: readonly ChosenFile[], unfinished: readonly Upload[]): Upload[] {
  const taken = new Set(chosen.map((each) => (each.isResuming ? each.unfinished?.id : undefined)));
  return unfinished.filter(({ id }) => !taken.has(id));
}

export type FileProblem =
  ImageNameProblem | 'taken' | 'twice' | 'bad_digest' | 'empty' | 'unreadable' | 'refused_kind' | null;

/** What stands against one of the files, the worst first. */
export function checkFile(
  chosen: ChosenFile,
  all: readonly ChosenFile[],
  isTaken: (name: string) => boolean,
): FileProblem {
  const { kind, name, file, sha256 } = chosen;
  if (file.size === 0) return 'empty';
  if (kind === 'unreadable') return 'unreadable';
  if (kind !== null && isRefusedKind(kind)) return 'refused_kind';
  if (chosen.isResuming) return null;
  const problem = findImageNameProblem(name);
  if (problem !== null) return problem;
  if (isTaken(name)) return 'taken';
  const isTwice = all.some((other) => other !== chosen && !other.isResuming && other.name === name);
  if (isTwice) return 'twice';
  return sha256.trim() === '' || isDigest(sha256) ? null : 'bad_digest';
}

/** Of the name: its field is the one to correct. */
export function isAboutName(verdict: FileProblem): boolean {
  return verdict !== null && !['bad_digest', 'empty', 'unreadable', 'refused_kind'].includes(verdict);
}

export function isDigest(text: string): boolean {
  return /^[0-9a-f]{64}$/i.test(text.trim());
}

/** What the pool must have free for all of them; an unfinished one has its space already. */
export function neededBytes(all: readonly ChosenFile[]): number {
  return all.reduce((sum, { file, isResuming }) => sum + (isResuming ? 0 : file.size), 0);
}

/** The content is another than the name says: worth knowing, and no fault. */
export function isMisnamed({ kind, name }: ChosenFile): boolean {
  const extension = /\.([^.]+)$/.exec(name.toLowerCase())?.[1] ?? '';
  if (kind === 'iso') return extension === 'qcow2';
  return (kind === 'qcow2' || kind === 'raw') && extension === (kind === 'raw' ? 'qcow2' : 'iso');
}

/** What the server is asked for; without a digest it compares none. */
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
