import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { jsonAnswer, refusalAnswer } from './answers.ts';
import type { Answer } from './answers.ts';

let file: Promise<{ source: string; etag: string }> | undefined;

/** The client and the element in one file. It has no secret, so everyone may read it. */
export async function elementAnswer(request: IncomingMessage): Promise<Answer> {
  try {
    file ??= readElement();
    const { source, etag } = await file;
    const headers = {
      'content-type': 'text/javascript; charset=utf-8',
      // The address has no version, so a browser asks whether its copy is current.
      'cache-control': 'no-cache',
      etag,
    };
    if (request.headers['if-none-match'] === etag) return { status: 304, headers, body: '' };
    return { ...jsonAnswer(200, {}, headers), body: source };
  } catch {
    file = undefined;
    return refusalAnswer('not_packaged');
  }
}

async function readElement(): Promise<{ source: string; etag: string }> {
  const source = await readFile(new URL('../../element.min.js', import.meta.url), 'utf8');
  return { source, etag: `"${createHash('sha256').update(source).digest('base64url')}"` };
}
