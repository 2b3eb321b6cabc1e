import { join } from 'node:path';
import * as copy from '@wcc/copy';
import * as receive from '@wcc/copy/receive';
import * as recovery from '@wcc/copy/recovery';
import { describe, expect, it } from 'vitest';
import { useDirectory, writeRandom } from './testkit/files.testkit.ts';

type Call = (...values: unknown[]) => unknown;
const dir = useDirectory();
const here = (): string => join(dir(), 'a');
const target = (more: object = {}): object => ({
  directory: dir(),
  id: 'a',
  targetName: 'a',
  sizeBytes: 1,
  ...more,
});
const startAndWait: Call = (...values) =>
  (copy.startCopy as (...given: unknown[]) => copy.CopyJob)(...values).done;

/** Each path argument of each exported function, as a call with a wrong value. `name`: the argument in the message. */
const pathCalls: Record<string, { name: string; call: (wrong: unknown) => unknown }[]> = {
  copyFile: [
    { name: 'source', call: (wrong) => (copy.copyFile as Call)(wrong, here()) },
    { name: 'destination', call: (wrong) => (copy.copyFile as Call)(here(), wrong) },
  ],
  startCopy: [
    { name: 'source', call: (wrong) => startAndWait(wrong, here()) },
    { name: 'destination', call: (wrong) => startAndWait(here(), wrong) },
  ],
  copyTree: [
    { name: 'source', call: (wrong) => (copy.copyTree as Call)(wrong, here()) },
    { name: 'destination', call: (wrong) => (copy.copyTree as Call)(dir(), wrong) },
  ],
  hashFile: [{ name: 'path', call: (wrong) => (copy.hashFile as Call)(wrong) }],
  inspectFile: [{ name: 'path', call: (wrong) => (copy.inspectFile as Call)(wrong) }],
  canClone: [
    { name: 'source', call: (wrong) => (copy.canClone as Call)(wrong, dir()) },
    { name: 'directory', call: (wrong) => (copy.canClone as Call)(here(), wrong) },
  ],
  freeSpace: [{ name: 'path', call: (wrong) => (copy.freeSpace as Call)(wrong) }],
  isOpenElsewhere: [{ name: 'path', call: (wrong) => (copy.isOpenElsewhere as Call)(wrong) }],
  lockFile: [{ name: 'path', call: (wrong) => (copy.lockFile as Call)(wrong) }],
  list: [{ name: 'directory', call: (wrong) => (recovery.list as Call)(wrong) }],
  settle: [
    { name: 'directory', call: (wrong) => (recovery.settle as Call)(wrong, 'a', 'a') },
    { name: 'targetName', call: (wrong) => (recovery.settle as Call)(dir(), 'a', wrong) },
  ],
  remove: [{ name: 'directory', call: (wrong) => (recovery.remove as Call)(wrong, 'a') }],
  forget: [{ name: 'directory', call: (wrong) => (recovery.forget as Call)(wrong, 'a') }],
  readCheckpoint: [{ name: 'directory', call: (wrong) => (recovery.readCheckpoint as Call)(wrong, 'a') }],
  create: [
    { name: 'target.directory', call: (wrong) => (receive.create as Call)(target({ directory: wrong })) },
    { name: 'target.targetName', call: (wrong) => (receive.create as Call)(target({ targetName: wrong })) },
  ],
  open: [{ name: 'target.directory', call: (wrong) => (receive.open as Call)(target({ directory: wrong })) }],
  publish: [
    { name: 'target.directory', call: (wrong) => (receive.publish as Call)(target({ directory: wrong })) },
  ],
  partialPath: [{ name: 'directory', call: (wrong) => (receive.partialPath as Call)(wrong, 'a') }],
  sidecarPath: [{ name: 'directory', call: (wrong) => (receive.sidecarPath as Call)(wrong, 'a') }],
  renameExclusively: [
    { name: 'from', call: (wrong) => (receive.renameExclusively as Call)(wrong, '/tmp/b') },
    { name: 'to', call: (wrong) => (receive.renameExclusively as Call)('/tmp/a', wrong) },
  ],
  syncDirectory: [{ name: 'directory', call: (wrong) => (receive.syncDirectory as Call)(wrong) }],
};

/** Each id of each exported function. */
const idCalls: Record<string, (wrong: unknown) => unknown> = {
  settle: (wrong) => (recovery.settle as Call)(dir(), wrong, 'a'),
  remove: (wrong) => (recovery.remove as Call)(dir(), wrong),
  forget: (wrong) => (recovery.forget as Call)(dir(), wrong),
  readCheckpoint: (wrong) => (recovery.readCheckpoint as Call)(dir(), wrong),
  create: (wrong) => (receive.create as Call)(target({ id: wrong })),
  partialPath: (wrong) => (receive.partialPath as Call)(dir(), wrong),
  sidecarPath: (wrong) => (receive.sidecarPath as Call)(dir(), wrong),
};

/** Each exported function with options, called with them. */
const optionCalls: Record<string, { known: string; call: (options: unknown) => unknown }> = {
  copyFile: {
    known: 'overwrite',
    call: (options) => (copy.copyFile as Call)(here(), join(dir(), 'b'), options),
  },
  startCopy: { known: 'verify', call: (options) => startAndWait(here(), join(dir(), 'b'), options) },
  copyTree: {
    known: 'symlinks',
    call: (options) => (copy.copyTree as Call)(dir(), `${dir()}-tree`, options),
  },
  hashFile: { known: 'signal', call: (options) => (copy.hashFile as Call)(here(), options) },
  inspectFile: { known: 'headBytes', call: (options) => (copy.inspectFile as Call)(here(), options) },
  preload: { known: 'count', call: (options) => (copy.preload as Call)(options) },
  create: { known: 'sizeBytes', call: (options) => (receive.create as Call)(options) },
  open: { known: 'sizeBytes', call: (options) => (receive.open as Call)(options) },
  publish: { known: 'sizeBytes', call: (options) => (receive.publish as Call)(options) },
  createDurableWriter: {
    known: 'batchBytes',
    call: (options) => (receive.createDurableWriter as Call)(options),
  },
};

/** Exports without paths, ids and options. */
const withoutArguments = [
  'support',
  'CopyError',
  'copyErrors',
  'copyPhaseNames',
  'identityOf',
  'compareIdentity',
  'allocateSpace',
  'freeBuffers',
];

/** The error of a call, whether it throws or rejects. */
async function failureOf(call: () => unknown): Promise<copy.CopyError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof copy.CopyError) return error;
    throw error;
  }
  throw new Error('the call succeeded');
}

describe('wrong arguments', () => {
  it('every exported function is in a table of this file', () => {
    const tested = new Set([...Object.keys(pathCalls), ...Object.keys(idCalls), ...Object.keys(optionCalls)]);
    const exported = [copy, receive, recovery].flatMap((door) => Object.keys(door));
    expect(exported.filter((name) => !tested.has(name) && !withoutArguments.includes(name))).toEqual([]);
  });

  const paths = Object.entries(pathCalls).flatMap(([name, calls]) =>
    calls.map((one) => ({ ...one, function: name })),
  );
  it.each(paths)('$function rejects a wrong $name with invalid_option', async ({ name, call }) => {
    for (const wrong of [
      undefined,
      null,
      7,
      {},
      [],
      '',
      'a\0b',
      new Uint8Array(0),
      new URL('https://host/a'),
    ]) {
      const error = await failureOf(() => call(wrong));
      expect(error).toMatchObject({ code: 'invalid_option', name: 'CopyError' });
      expect(error.message).toContain(`${name} must be`);
      expect(error.hint).toContain(name);
    }
  });

  it.each(Object.entries(idCalls))('%s rejects a wrong id with invalid_option', async (_, call) => {
    for (const wrong of [undefined, null, 7, '', '../a', 'a b', 'x'.repeat(65)]) {
      const error = await failureOf(() => call(wrong));
      expect(error.code).toBe('invalid_option');
      expect(error.message).toContain('id must be 1 to 64 letters');
    }
  });

  it.each(Object.entries(optionCalls))(
    '%s rejects unknown options and wrong values',
    async (_, { known, call }) => {
      writeRandom(here(), 10);
      for (const wrong of [null, 7, 'x', [], () => {}])
        expect((await failureOf(() => call(wrong))).message).toMatch(
          /(options|target) must be an object, not/,
        );
      const misspelt = await failureOf(() => call({ [`${known}x`]: true }));
      expect(misspelt.message).toContain(`did you mean "${known}"?`);
      expect(misspelt.hint).toBe(`Use the option "${known}".`);
      const unknown = await failureOf(() => call({ qqqqqqqqqqqq: true }));
      expect(unknown.message).toMatch(/unknown option "(target\.)?qqqqqqqqqqqq"/);
      expect(unknown.hint).toContain(known);
      const wrong = await failureOf(() => call({ ...(known === 'sizeBytes' ? target() : {}), [known]: {} }));
      expect(wrong.code).toBe('invalid_option');
    },
  );

  it('copyFile names the values that each option accepts', async () => {
    const cases: [object, string][] = [
      [{ method: 'fast' }, 'method must be "auto" or "clone" or "copy", not "fast"'],
      [{ native: true }, 'native must be "auto" or "off", not true'],
      [{ ifInUse: 'ask' }, 'ifInUse must be "fail" or "warn", not "ask"'],
      [{ verify: 1 }, 'verify must be true or false, not 1'],
      [{ bytesPerSecond: 0 }, 'bytesPerSecond must be a number of at least 1, not 0'],
      [{ minFreeBytes: Number.NaN }, 'minFreeBytes must be a number of at least 0, not NaN'],
      [{ checkpoint: { byte: 1 } }, 'unknown option "checkpoint.byte"; did you mean "bytes"?'],
      [{ checkpoint: { bytes: 0 } }, 'checkpoint.bytes must be a number of at least 1, not 0'],
      [{ signal: {} }, 'signal must be an AbortSignal, not an object'],
      [{ onProgress: 'log' }, 'onProgress must be a function, not "log"'],
      [{ tag: 3 }, 'tag must be a string, not 3'],
      [{ id: '../up' }, 'id must be 1 to 64 letters, digits, "_" or "-", not "../up"'],
    ];
    for (const [options, message] of cases) {
      const error = await failureOf(() => copy.copyFile(here(), join(dir(), 'b'), options));
      expect(error.message).toBe(`an argument or option is not valid (${message})`);
    }
  });

  it('an option that is undefined gets its default', async () => {
    writeRandom(here(), 10);
    const options = {
      method: undefined,
      id: undefined,
      bytesPerSecond: undefined,
      signal: undefined,
    } as object;
    const { bytes } = await copy.copyFile(here(), join(dir(), 'defaults'), options);
    expect(bytes.virtual).toBe(10);
  });
});
