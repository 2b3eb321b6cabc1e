import type { ImageFormat } from '../images.ts';
import { findMissingEnd, isDisc } from './discs.ts';
import type { ReadBytes } from './discs.ts';
import { refuseKind } from './findings.ts';
import type { ContentRefusal } from './findings.ts';
import { findMarked, hasText, tailBytes } from './kinds.ts';
import { findMissingClusters } from './qcow2-clusters.ts';
import { judgeQcow2, qcowMagic } from './qcow2-header.ts';
import type { Qcow2Header } from './qcow2-header.ts';
import { findTextKind, textOf } from './text-kinds.ts';

/** Bytes at the start that decide about nearly every file: they hold the descriptors of a disc and the header of qcow2. */
export const headBytes = 65_536;

/** A file to judge. */
export interface Content {
  sizeBytes: number;
  read: ReadBytes;
}

export interface JudgeOptions {
  /** The name of the image, for remarks only: content decides. @default none */
  name?: string | undefined;
  /** The format that a person has declared. @default the content decides alone */
  declared?: ImageFormat | undefined;
  /** @default no limit */
  maxVirtualSizeBytes?: number | undefined;
  /** The base of an overlay: the only file name that a qcow2 header may have, in any directory. @default none */
  baseName?: string | undefined;
}

/**
 * What deserves a warning: the file can be a disk, but probably is none. `content_is_text`: only text at its start;
 * `content_is_tiny`: shorter than a sector; `content_is_no_disc`: called or declared an ISO, but no known disc.
 */
export type ContentRemark = 'content_is_text' | 'content_is_tiny' | 'content_is_no_disc';

/** Accepted content. */
export interface AcceptedContent {
  format: ImageFormat;
  virtualSizeBytes: number;
  /** Null: not a qcow2 file. */
  qcow2: Qcow2Header | null;
  remarks: ContentRemark[];
}

export type Judgement = AcceptedContent | { refusal: ContentRefusal };

const smallestDiskBytes = 512;

/** The only judgement of what a file is. Recognises by content, never by name. It reads the first and last bytes only. */
export async function judgeContent(content: Content, options: JudgeOptions = {}): Promise<Judgement> {
  const { sizeBytes, read } = content;
  const head = await read(0, Math.min(headBytes, sizeBytes));
  const tail = await read(Math.max(0, sizeBytes - tailBytes), Math.min(tailBytes, sizeBytes));
  const found = judgeEnds({ head, tail, sizeBytes }, options);
  if ('refusal' in found) return found;
  const end = { fileBytes: sizeBytes, read };
  const refusal =
    found.qcow2 === null
      ? found.format === 'iso'
        ? await findMissingEnd(head, end)
        : null
      : await findMissingClusters(found.qcow2, end);
  return refusal === null ? found : { refusal };
}

export interface HeadOptions extends JudgeOptions {
  /** Null: not known yet. */
  sizeBytes: number | null;
}

/** Judges a file by its first bytes alone. The rest may still decide otherwise. */
export function judgeStart(head: Uint8Array, { sizeBytes, ...options }: HeadOptions): Judgement {
  return judgeEnds({ head, tail: new Uint8Array(), sizeBytes }, options);
}

/** Judges the first bytes of a file while the others are missing. @returns the refusal; null if the rest may decide */
export function judgeHead(head: Uint8Array, options: HeadOptions): ContentRefusal | null {
  const found = judgeStart(head, options);
  return 'refusal' in found ? found.refusal : null;
}

interface Ends {
  head: Uint8Array;
  tail: Uint8Array;
  /** Null: not known yet. */
  sizeBytes: number | null;
}

function judgeEnds(ends: Ends, options: JudgeOptions): Judgement {
  const found = recognise(ends, options);
  if ('refusal' in found) return found;
  const { maxVirtualSizeBytes = Number.MAX_SAFE_INTEGER, declared } = options;
  if (found.virtualSizeBytes > maxVirtualSizeBytes)
    return { refusal: tooLarge(found.virtualSizeBytes, maxVirtualSizeBytes) };
  if (declared === undefined || declared === found.format) return found;
  // Every disc is also a raw disk, and only a person knows whether unknown content is a disc.
  if (declared === 'raw' && found.format === 'iso') return { ...found, format: 'raw' };
  if (declared === 'iso' && found.format === 'raw')
    return {
      ...found,
      format: 'iso',
      remarks: [...new Set([...found.remarks, 'content_is_no_disc' as const])],
    };
  const refusal: ContentRefusal = {
    code: 'unsupported_format',
    reason: 'other_format',
    message: `The content is ${found.format}, not ${declared}.`,
    hint: `Declare the format ${found.format}, or send another file.`,
  };
  return { refusal };
}

function tooLarge(sizeBytes: number, limitBytes: number): ContentRefusal {
  return { code: 'image_too_large', reason: 'image_too_large', tooLarge: { sizeBytes, limitBytes } };
}

function recognise({ head, tail, sizeBytes }: Ends, { name, baseName }: JudgeOptions): Judgement {
  if (sizeBytes === 0) return { refusal: { code: 'not_an_image', reason: 'empty' } };
  const virtualSizeBytes = sizeBytes ?? 0;
  if (hasText(head, 0, qcowMagic)) {
    const header = judgeQcow2(head, { fileBytes: sizeBytes, baseName });
    return 'reason' in header
      ? { refusal: header }
      : { format: 'qcow2', virtualSizeBytes: header.virtualSizeBytes, qcow2: header, remarks: [] };
  }
  // The first sectors of a disc are for boot loaders, and may contain anything.
  if (isDisc(head)) return { format: 'iso', virtualSizeBytes, qcow2: null, remarks: [] };
  const marked = findMarked(head, tail);
  if (marked !== null) return { refusal: refuseKind(marked) };
  const text = textOf(head);
  const kind = text === null ? null : findTextKind(text);
  if (kind !== null) return { refusal: refuseKind(kind) };
  const remarks: ContentRemark[] = [];
  if (text !== null) remarks.push('content_is_text');
  else if (virtualSizeBytes < smallestDiskBytes) remarks.push('content_is_tiny');
  if (name !== undefined && /\.iso$/i.test(name)) remarks.push('content_is_no_disc');
  return { format: 'raw', virtualSizeBytes, qcow2: null, remarks };
}
