import { findImageNameProblem } from '@wcc/api';

/** Where an answer came from: the addresses of all hops, the requested one first, and the header of the last one. */
export interface Origin {
  addresses: readonly URL[];
  contentDisposition: string | undefined;
}

/**
 * The name of a file on another server: the one that it names, else one that looks like a file in an address, the final one
 * first, else the last part of the requested address. Null if none can be the name of an image.
 */
export function proposeName({ addresses, contentDisposition }: Origin): string | null {
  const segments = addresses.map(({ pathname }) => pathname.split('/').filter((part) => part !== ''));
  const lasts = segments.map((parts) => decoded(parts.at(-1) ?? '')).toReversed();
  // A link such as …/file.iso/download, without a redirect.
  const folders = segments.map((parts) => decoded(parts.at(-2) ?? '')).toReversed();
  const names = [
    nameInHeader(contentDisposition ?? ''),
    ...lasts.filter((name) => /\.[a-z][a-z\d]{0,7}$/i.test(name)),
    ...folders.filter((name) => /\.(iso|img|raw|qcow2)$/i.test(name)),
    lasts.at(-1) ?? null,
  ];
  const usable = names.map((name) => (name === null ? '' : withoutDirectory(name)));
  return usable.find((name) => name !== '' && findImageNameProblem(name) === null) ?? null;
}

/** A parameter of RFC 6266: a token, or a quoted string. */
const parameter = /;\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)/g;

/** `filename*` of RFC 6266, else `filename`. */
function nameInHeader(header: string): string | null {
  const found = new Map<string, string>();
  for (const [, name = '', value = ''] of `;${header}`.matchAll(parameter))
    if (!found.has(name.toLowerCase())) found.set(name.toLowerCase(), value.trim());
  const extended = extendedValue(found.get('filename*') ?? '');
  if (extended !== null) return extended;
  const plain = found.get('filename');
  if (plain === undefined) return null;
  return textOf(plain.startsWith('"') ? plain.slice(1, -1).replaceAll(/\\(.)/g, '$1') : plain);
}

/** RFC 8187: `charset'language'percent-encoded`. Null for another form or charset. */
function extendedValue(text: string): string | null {
  const [, charset = '', encoded = ''] = /^([\w-]+)'[\w-]*'([^']*)$/.exec(text) ?? [];
  if (charset.toLowerCase() === 'utf-8') return decodedOrNull(encoded);
  if (charset.toLowerCase() !== 'iso-8859-1') return null;
  return encoded.replaceAll(/%([\da-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Node reads the bytes of a header as Latin-1; servers send UTF-8 too. */
function textOf(header: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'latin1'));
  } catch {
    return header;
  }
}

/** RFC 6266, section 4.3: a recipient must not follow the directories of the sender. */
function withoutDirectory(name: string): string {
  return (name.split(/[/\\]/).at(-1) ?? '').trim().normalize('NFC');
}

function decoded(text: string): string {
  return decodedOrNull(text) ?? text;
}

function decodedOrNull(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
