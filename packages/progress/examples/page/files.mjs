// The files of the page, and the files of the library from its package.
import { readFile } from 'node:fs/promises';

const roots = {
  page: new URL('./', import.meta.url),
  library: new URL('../', import.meta.resolve('@wcc/progress')),
};
const types = { html: 'text/html; charset=utf-8', css: 'text/css', js: 'text/javascript' };
/** Accepts only names separated by slashes, so that no address leads out of the folder. */
const address = /^\/(?:(library)\/)?((?:[\w-]+\/)*[\w-]+\.(html|css|js))$/;

/** Allows no inline code, no other origins and no script from a string. */
export const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; require-trusted-types-for 'script'";

/** @returns the file at an address of the page, or `null` */
export async function fileAt(path) {
  const [, root = 'page', name, extension] = address.exec(path === '/' ? '/index.html' : path) ?? [];
  if (name === undefined) return null;
  const body = await readFile(new URL(name, roots[root])).catch(() => null);
  const headers = { 'content-type': types[extension], 'content-security-policy': policy };
  return body === null ? null : { body, headers };
}
