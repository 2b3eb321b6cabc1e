import { execFile } from 'node:child_process';
import { open, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ImageFormat } from '@wcc/api';
import type { ContentCode } from '@wcc/api/content';

const run = promisify(execFile);

/** What every part of wcc must say of a file: its format, or the code of its refusal. */
export type Verdict = ImageFormat | ContentCode;

export interface Member {
  name: string;
  path: string;
  verdict: Verdict;
}

export interface Maker {
  /** Where the member with this name is. */
  at: (name: string) => string;
  add: (name: string, verdict: Verdict) => void;
  /** Writes bytes as a member. */
  write: (name: string, verdict: Verdict, bytes: Uint8Array | string) => Promise<void>;
  /** Copies a file and changes it. */
  change: (
    name: string,
    verdict: Verdict,
    how: { from: string; bytes?: Readonly<Record<number, string>>; length?: number },
  ) => Promise<void>;
}

export function createMaker(directory: string, members: Member[]): Maker {
  const at = (name: string): string => join(directory, name);
  const add = (name: string, verdict: Verdict): void => void members.push({ name, path: at(name), verdict });
  const write = async (name: string, verdict: Verdict, bytes: Uint8Array | string): Promise<void> => {
    await writeFile(at(name), bytes);
    add(name, verdict);
  };
  return {
    at,
    add,
    write,
    async change(name, verdict, { from, bytes = {}, length }) {
      await write(name, verdict, await readFile(from));
      const file = await open(at(name), 'r+');
      for (const [offset, digits] of Object.entries(bytes))
        await file.write(Buffer.from(digits, 'hex'), 0, undefined, Number(offset));
      await file.close();
      if (length !== undefined) await truncate(at(name), length);
    },
  };
}

/** Runs a program. @throws with its output if it fails */
export async function tool(program: string, ...args: string[]): Promise<void> {
  await run(program, args);
}

/** Bytes with parts at offsets. */
export function bytesWith(lengthBytes: number, parts: Readonly<Record<number, string | Uint8Array>>): Buffer {
  const bytes = Buffer.alloc(lengthBytes);
  for (const [offset, part] of Object.entries(parts))
    bytes.set(typeof part === 'string' ? Buffer.from(part, 'latin1') : part, Number(offset));
  return bytes;
}
