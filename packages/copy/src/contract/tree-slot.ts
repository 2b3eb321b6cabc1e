// Int32 cells. The path changes between an odd and the next even version.
const stopCell = 0;
const versionCell = 1;
const pathLengthCell = 2;
const int32Cells = 4;

// BigInt64 cells.
const filesCell = 0;
const bytesCell = 1;
/** Size of the large file at work; 0 if there is none. */
const largeCell = 2;
const bigint64Cells = 3;

const pathOffset = int32Cells * 4 + bigint64Cells * 8;
/** Longer paths lose their beginning. */
const maxPathBytes = 1024;

interface Views {
  int32: Int32Array<SharedArrayBuffer>;
  int64: BigInt64Array<SharedArrayBuffer>;
  path: Uint8Array<SharedArrayBuffer>;
}

function createViews(memory: SharedArrayBuffer): Views {
  return {
    int32: new Int32Array(memory, 0, int32Cells),
    int64: new BigInt64Array(memory, int32Cells * 4, bigint64Cells),
    path: new Uint8Array(memory, pathOffset, maxPathBytes),
  };
}

/** The caller's view of one worker's progress. */
export interface TreeSlotReader {
  readonly memory: SharedArrayBuffer;
  files(): number;
  bytes(): number;
  largeBytes(): number;
  path(): Buffer;
  stop(): void;
}

export function createTreeSlot(): TreeSlotReader {
  const memory = new SharedArrayBuffer(pathOffset + maxPathBytes);
  const views = createViews(memory);
  const read = (cell: number): number => Number(Atomics.load(views.int64, cell));
  return {
    memory,
    files: () => read(filesCell),
    bytes: () => read(bytesCell),
    largeBytes: () => read(largeCell),
    path: () => readPath(views),
    stop: () => {
      Atomics.store(views.int32, stopCell, 1);
    },
  };
}

const readAttempts = 100;

function readPath({ int32, path }: Views): Buffer {
  for (let attempt = 0; attempt < readAttempts; attempt += 1) {
    const version = Atomics.load(int32, versionCell);
    const bytes = Buffer.from(path.slice(0, Atomics.load(int32, pathLengthCell)));
    if (version % 2 === 0 && Atomics.load(int32, versionCell) === version) return bytes;
  }
  return Buffer.alloc(0); // the next call reads a whole path
}

/** The worker's view: it reads the request to stop and writes progress. */
export interface TreeSlotWriter {
  isStopped(): boolean;
  addFile(): void;
  addBytes(bytes: number): void;
  setLarge(bytes: number): void;
  setPath(path: Uint8Array): void;
}

export function openTreeSlot(memory: SharedArrayBuffer): TreeSlotWriter {
  const { int32, int64, path } = createViews(memory);
  return {
    isStopped: () => Atomics.load(int32, stopCell) === 1,
    addFile: () => {
      Atomics.add(int64, filesCell, 1n);
    },
    addBytes: (bytes) => {
      Atomics.add(int64, bytesCell, BigInt(bytes));
    },
    setLarge: (bytes) => {
      Atomics.store(int64, largeCell, BigInt(bytes));
    },
    setPath(bytes) {
      const tail = bytes.subarray(-maxPathBytes);
      Atomics.add(int32, versionCell, 1);
      path.set(tail);
      Atomics.store(int32, pathLengthCell, tail.length);
      Atomics.add(int32, versionCell, 1);
    },
  };
}
