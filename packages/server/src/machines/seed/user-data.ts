import { ApiError, judgeUserData, plainUserData } from '@wcc/api';
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';

/** Limit of decompressed user-data. */
const maxBytes = 1024 ** 2;

const codes = { unknown: 'user_data_unknown', ignition: 'user_data_ignition' } as const;

/** @throws ApiError `user_data_unknown`, `user_data_ignition`, `user_data_damaged` */
export function assertUserData(userData: string | undefined): void {
  const text = decompress(userData ?? '');
  const kind = judgeUserData(text);
  if (kind === 'unknown' || kind === 'ignition')
    throw new ApiError(codes[kind], { field: 'firstBoot.userData' });
  // Compressed twice: cloud-init decompresses once.
  if (kind === 'gzip') throw damaged();
}

/** @throws ApiError `user_data_damaged` */
function decompress(userData: string): string {
  if (judgeUserData(userData) !== 'gzip') return userData;
  try {
    const bytes = gunzipSync(Buffer.from(userData, 'base64'), { maxOutputLength: maxBytes });
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw damaged(error);
  }
}

function damaged(cause?: unknown): ApiError {
  return new ApiError('user_data_damaged', { field: 'firstBoot.userData', cause });
}

/**
 * Joins our cloud-config with the user's data. Ours is the last part and is merged into theirs: lists are appended,
 * and each other value that the user's data has stays. So `users:` of the user's data keeps our user. The default of
 * cloud-init replaces the whole list.
 *
 * Source: cloud-init, "Merging user-data sections"; RFC 2046.
 */
export function combine(ours: string, userData: string): string {
  const text = plainUserData(decompress(userData));
  const kind = judgeUserData(text);
  if (kind === 'none') return ours;
  // A MIME document becomes a nested part with its own header, so that cloud-init reads each part in it.
  const theirs = kind === 'mime' ? text.trimStart() : part('text/plain', text);
  const merge = 'X-Merge-Type: list(append)+dict(no_replace,recurse_list)+str()\n';
  return multipart([theirs, part('text/cloud-config', ours, merge)]);
}

/** cloud-init detects the type of a part in `text/plain` from its first line. */
function part(type: string, text: string, fields = ''): string {
  const lines = Buffer.from(text).toString('base64').replaceAll(/.{76}/g, '$&\n');
  const head = `Content-Type: ${type}; charset="utf-8"\nMIME-Version: 1.0\nContent-Transfer-Encoding: base64\n`;
  return `${head}${fields}\n${lines}\n`;
}

function multipart(parts: readonly string[]): string {
  const boundary = `wcc-${createHash('sha256').update(parts.join('\0')).digest('hex')}`;
  const head = `Content-Type: multipart/mixed; boundary="${boundary}"\nMIME-Version: 1.0\n`;
  return `${head}\n${parts.map((one) => `--${boundary}\n${one}\n`).join('')}--${boundary}--\n`;
}
