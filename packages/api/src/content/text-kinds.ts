import type { Kind } from './kinds.ts';

interface TextKind extends Kind {
  pattern: RegExp;
}

/** Comments and a blank start before the first element of a page or a document. */
const xmlStart = String.raw`^\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->)[\s\S])*-->\s*)*`;

/**
 * Text files that are surely not disks, by the start of their text. The first that matches counts. No text can be divided
 * among the parts of a pattern in two ways: otherwise a text that does not match could take hours.
 */
export const textKinds: readonly TextKind[] = [
  {
    id: 'vmdk_descriptor',
    family: 'disk',
    name: 'VMDK descriptor',
    nameJa: 'VMDK の記述',
    tool: 'vmdk',
    pattern: /^\s*(?:# Disk DescriptorFile|(?:#[^\n]*\n\s*)*version\s*=\s*\d[\s\S]*?createType\s*=)/,
  },
  {
    id: 'git_lfs',
    family: 'other',
    name: 'Git LFS pointer',
    nameJa: 'Git LFS のポインター',
    pattern: /^version https:\/\/git-lfs\.github\.com\//,
  },
  {
    id: 'web_page',
    family: 'other',
    name: 'web page',
    nameJa: 'ウェブページ',
    pattern: new RegExp(`${xmlStart}<(?:!doctype\\s+html|html|head|body)\\b`, 'i'),
  },
  {
    id: 'xml',
    family: 'other',
    name: 'XML document',
    nameJa: 'XML 文書',
    pattern: new RegExp(String.raw`^\s*<\?xml|${xmlStart}<(?:Error|metalink|Envelope|domain)[\s>]`),
  },
  {
    id: 'json',
    family: 'other',
    name: 'JSON document',
    nameJa: 'JSON 文書',
    pattern: /^\s*(?:\{\s*(?:\}|"[^"\n]*"\s*:)|\[\s*[[{"\]])/,
  },
  {
    id: 'checksums',
    family: 'other',
    name: 'list of checksums',
    nameJa: 'チェックサムの一覧',
    pattern:
      /^(?:#[^\n]*\n|-----BEGIN PGP SIGNED[^\n]*\n(?:[^\n]+\n)*\n)*(?:[0-9a-f]{32,128} [ *]?\S|[A-Z0-9-]+ ?\(\S+\) ?= ?[0-9a-f]{32})/i,
  },
  {
    id: 'signature',
    family: 'other',
    name: 'PGP signature or key',
    nameJa: 'PGP の署名または鍵',
    pattern: /^\s*-----BEGIN /,
  },
  {
    id: 'cue',
    family: 'other',
    name: 'CUE sheet',
    nameJa: 'CUE シート',
    pattern: /^(?:REM[^\n]*\n\s*)*FILE\s+"/,
  },
  { id: 'script', family: 'other', name: 'script', nameJa: 'スクリプト', pattern: /^#!\s*\// },
];

/**
 * The text at the start of a file; null if it is not text. A boot sector or a file system has zeros or other controls.
 */
export function textOf(head: Uint8Array): string | null {
  const text = decode(head);
  // oxlint-disable-next-line no-control-regex -- controls tell text from other bytes
  return text === null || text === '' || /[\u0000-\u0008\u000e-\u001a\u001c-\u001f\u007f]/.test(text)
    ? null
    : text;
}

function decode(head: Uint8Array): string | null {
  const [first, second] = head;
  const isWide = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const encoding = isWide ? (first === 0xff ? 'utf-16le' : 'utf-16be') : 'utf-8';
  try {
    // The last character may be cut, so it is not complete: a stream keeps it.
    return new TextDecoder(encoding, { fatal: true }).decode(head, { stream: true });
  } catch {
    return null;
  }
}

export function findTextKind(text: string): Kind | null {
  return textKinds.find(({ pattern }) => pattern.test(text)) ?? null;
}
