import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { hiddenName, stagingChain } from './context.ts';
import type { TreeContext } from './context.ts';
import type { DirectoryChain } from './directory-chain.ts';
import { KeySet } from './key-set.ts';
import { hashBytes, isOfShard } from './shard.ts';
import { makeDirectory } from './staging.ts';
import { readNames } from './walk.ts';

/** A file of the source and its copy. */
export interface FilePair {
  source: BigIntStats;
  copy: BigIntStats;
}

/**
 * The states of each source file and its copy at the moment the copy was complete. Size and modification time alone
 * prove nothing, because a program can set that time back.
 */
export interface Journal {
  /** Whether this process or an earlier one recorded both files in exactly these states. */
  has(pair: FilePair): boolean;
  /** @param isSaved whether the record is written at once; others may be lost when the process is killed */
  add(name: Buffer, pair: FilePair, isSaved: boolean): void;
  /** Writes the remaining records. */
  close(): void;
}

/** Size, modification time, change time and inode, of the source and of the copy. */
const numbersPerKey = 8;
const numberBytes = 8;
const keyBytes = numbersPerKey * numberBytes;
/** A record begins with the hash of the name, which gives the shard. */
const hashBytesLength = 4;
const recordBytes = hashBytesLength + keyBytes;
const bufferedRecords = 1024;
/** A killed process loses at most the records of this time. */
const saveIntervalMs = 1000;

const prefix = 'journal-';

/** Whether an entry of the hidden directory is a journal. */
export function isJournal(name: Buffer): boolean {
  return name.subarray(0, prefix.length).toString('latin1') === prefix;
}

export function openJournal(context: TreeContext): Journal {
  const known = context.request.resumed ? readJournals(context) : new KeySet(keyBytes);
  const records = Buffer.alloc(bufferedRecords * recordBytes);
  const key = Buffer.alloc(keyBytes);
  let filled = 0;
  let file: JournalFile | null = null;
  let savedMs = performance.now();
  const save = (): void => {
    if (filled === 0) return;
    file ??= openFile(context);
    const bytes = records.subarray(0, filled);
    filled = 0;
    file.append(bytes);
    savedMs = performance.now();
  };
  return {
    has: (pair) => known.has(writeKey(key, pair)),
    add(name, pair, isSaved) {
      records.writeUInt32LE(hashBytes(name), filled);
      writeKey(records.subarray(filled + hashBytesLength), pair);
      filled += recordBytes;
      const isDue = filled === records.length || performance.now() - savedMs >= saveIntervalMs;
      if (isSaved || isDue) save();
    },
    close() {
      try {
        save();
      } catch {
        // Files without a record are compared. A failing disk stops the copy at its next step.
      } finally {
        file?.close();
      }
    },
  };
}

function writeKey(key: Buffer, { source, copy }: FilePair): Buffer {
  let at = 0;
  for (const { size, mtimeNs, ctimeNs, ino } of [source, copy]) {
    for (const number of [size, mtimeNs, ctimeNs, ino])
      at = key.writeBigUInt64LE(BigInt.asUintN(64, number), at);
  }
  return key;
}

interface JournalFile {
  append(bytes: Buffer): void;
  close(): void;
}

const appending = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

function openFile(context: TreeContext): JournalFile {
  const chain = stagingChain(context);
  const hidden = hiddenName(context);
  const name = Buffer.from(`${prefix}${context.request.shard}`);
  chain.run(hidden, () => makeDirectory(chain, hidden));
  chain.push(hidden);
  try {
    const fd = chain.run(name, () => openSync(chain.at(name), appending, 0o600));
    // A killed process can leave half a record.
    const { size } = fstatSync(fd);
    if (size % recordBytes !== 0) ftruncateSync(fd, size - (size % recordBytes));
    return {
      append(bytes) {
        for (let at = 0; at < bytes.length;) at += chain.run(name, () => writeSync(fd, bytes, at));
      },
      close: () => closeSync(fd),
    };
  } finally {
    chain.close();
  }
}

/** The records of names that belong to this shard. An earlier run may have had another number of shards. */
function readJournals(context: TreeContext): KeySet {
  const known = new KeySet(keyBytes);
  const chain = stagingChain(context);
  try {
    const hidden = hiddenName(context);
    const stat = chain.run(hidden, () => lstatSync(chain.at(hidden), { throwIfNoEntry: false }));
    if (stat === undefined) return known;
    chain.push(hidden);
    readNames(chain, (name) => {
      if (isJournal(name)) readJournal(context, { chain, name, known });
    });
  } finally {
    chain.close();
  }
  return known;
}

const safeRead = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

function readJournal(
  { request }: TreeContext,
  { chain, name, known }: { chain: DirectoryChain; name: Buffer; known: KeySet },
): void {
  const fd = chain.run(name, () => openSync(chain.at(name), safeRead));
  try {
    const buffer = Buffer.alloc(bufferedRecords * recordBytes);
    for (let filled = 0, at = 0; ;) {
      const count = readSync(fd, buffer, filled, buffer.length - filled, at);
      if (count === 0) return;
      at += count;
      filled += count;
      let record = 0;
      for (; record + recordBytes <= filled; record += recordBytes) {
        if (!isOfShard(request, buffer.readUInt32LE(record))) continue;
        known.add(buffer.subarray(record + hashBytesLength, record + recordBytes));
      }
      buffer.copyWithin(0, record, filled);
      filled -= record;
    }
  } finally {
    closeSync(fd);
  }
}
