// This file must not import zod, because the console judges user-data during typing without loading zod.

/**
 * What cloud-init takes user-data for, by its first line. `gzip`: compressed user-data in base64, as Terraform's
 * `cloudinit_config` makes it. `ignition`: data of another program, which cloud-init ignores.
 */
export type UserDataKind =
  | 'none'
  | 'cloud_config'
  | 'cloud_config_archive'
  | 'json_patch'
  | 'script'
  | 'include'
  | 'boothook'
  | 'part_handler'
  | 'mime'
  | 'gzip'
  | 'ignition'
  | 'unknown';

/** First lines that cloud-init knows, longer ones first. It ignores white space before them, and their case. */
const starts: readonly (readonly [start: string, kind: UserDataKind])[] = [
  ['#cloud-config-archive', 'cloud_config_archive'],
  ['#cloud-config-jsonp', 'json_patch'],
  ['#cloud-config', 'cloud_config'],
  ['#cloud-boothook', 'boothook'],
  ['#include', 'include'],
  ['#part-handler', 'part_handler'],
  ['#!', 'script'],
];
const template = /^## template: jinja[^\n]*\n/i;

/** Header lines of RFC 5322 that end with an empty line, among them one that makes it a MIME document. */
const header = /^(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*)+\r?\n/;
/** A longer header is none. */
const maxHeaderLength = 65_536;
const mimeField = /^(?:mime-version|content-type)[ \t]*:/im;

/** Base64 of a gzip file: its first three bytes are 1f 8b 08. */
const gzipInBase64 = /^H4sI[A-Za-z0-9+/]*={0,2}$/;

/** The kind of user-data. A byte order mark does not count, because wcc does not pass it on. */
export function judgeUserData(userData: string): UserDataKind {
  const text = plainUserData(userData).trimStart();
  if (text === '') return 'none';
  const body = text.replace(template, '').trimStart().toLowerCase();
  const kind = starts.find(([start]) => body.startsWith(start))?.[1];
  if (kind !== undefined) return kind;
  if (isMime(text)) return 'mime';
  if (text.startsWith('H4sI') && gzipInBase64.test(text.replaceAll(/\s/g, ''))) return 'gzip';
  return isIgnition(text) ? 'ignition' : 'unknown';
}

/** User-data without what editors and mail programs put in front of it: a byte order mark, an mbox line. */
export function plainUserData(userData: string): string {
  return userData.replace(/^\ufeff/, '').replace(/^From [^\n]*\n/, '');
}

function isMime(text: string): boolean {
  const [found = ''] = header.exec(text.slice(0, maxHeaderLength)) ?? [];
  return mimeField.test(found);
}

/** Ignition (JSON), and Butane (YAML), from which Ignition is made. */
function isIgnition(text: string): boolean {
  return (text.startsWith('{') && text.includes('"ignition"')) || /^variant:[ \t]/m.test(text);
}
