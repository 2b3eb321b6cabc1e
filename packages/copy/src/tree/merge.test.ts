import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyTree, support } from '@wcc/copy';
import { describe, expect, it } from 'vitest';
import { useDirectory } from '../testkit/files.testkit.ts';
import { expectEqualTrees, expectNames, expectTreeFailure, makeTree } from '../testkit/tree.testkit.ts';

const natives = support().available ? (['auto', 'off'] as const) : (['off'] as const);

describe.each(natives)('a tree merged with native: %s', (native) => {
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);
  const write = (path: string, text: string): void => {
    mkdirSync(join(at(path), '..'), { recursive: true });
    writeFileSync(at(path), text);
  };

  it('adds the entries that the destination lacks, and keeps its own', async () => {
    write('from/shared/new', 'new');
    write('from/only/inner/file', 'file');
    chmodSync(at('from/only'), 0o555);
    write('to/shared/old', 'old');
    write('to/mine', 'mine');
    chmodSync(at('to/shared'), 0o750);
    const result = await copyTree(at('from'), at('to'), { native, merge: true });
    expect(result).toMatchObject({ files: 2, directories: 4 });
    expectNames(at('to'), ['mine', 'only', 'shared']);
    expectNames(at('to/shared'), ['new', 'old']);
    expect(readFileSync(at('to/only/inner/file'), 'utf8')).toBe('file');
    expect(statSync(at('to/only')).mode & 0o777).toBe(0o555);
    // the facts of a directory that exists stay
    expect(statSync(at('to/shared')).mode & 0o777).toBe(0o750);
  });

  it('copies the tree as usual when the destination does not exist', async () => {
    makeTree(at('fresh'));
    await copyTree(at('fresh'), at('fresh-copy'), { native, merge: true });
    expectEqualTrees(at('fresh'), at('fresh-copy'), { timeUnitNs: native === 'off' ? 1000n : 1n });
  });

  it('refuses a name that is taken before anything is written', async () => {
    write('clash/a', 'new');
    write('clash/sub/b', 'new');
    write('taken/sub/b', 'old');
    const error = await expectTreeFailure(
      { source: at('clash'), destination: at('taken') },
      { native, merge: true },
      'exists',
    );
    expect(error.path).toBe(at('taken/sub/b'));
    expectNames(at('taken'), ['sub']);
    expect(readFileSync(at('taken/sub/b'), 'utf8')).toBe('old');
  });

  it('replaces files and symlinks with overwrite, and never writes through a symlink', async () => {
    write('next/a', 'new a');
    write('next/b', 'new b');
    write('last/a', 'old a');
    write('outside', 'untouched');
    symlinkSync('../outside', at('last/b'));
    await copyTree(at('next'), at('last'), { native, merge: true, overwrite: true });
    expect(readFileSync(at('last/a'), 'utf8')).toBe('new a');
    expect(readFileSync(at('last/b'), 'utf8')).toBe('new b');
    expect(readFileSync(at('outside'), 'utf8')).toBe('untouched');
  });

  it('never replaces a directory by a file or a file by a directory', async () => {
    write('kinds/name', 'file');
    mkdirSync(at('other/name'), { recursive: true });
    const options = { native, merge: true, overwrite: true };
    await expectTreeFailure({ source: at('kinds'), destination: at('other') }, options, 'exists');
    await expectTreeFailure({ source: at('other'), destination: at('kinds') }, options, 'exists');
    expectNames(at('other'), ['name']);
    expectNames(at('kinds'), ['name']);
  });

  it('does not enter a symlink of the destination that leads to a directory', async () => {
    write('tree/sub/file', 'x');
    mkdirSync(at('elsewhere'));
    mkdirSync(at('place'));
    symlinkSync('../elsewhere', at('place/sub'));
    await expectTreeFailure(
      { source: at('tree'), destination: at('place') },
      { native, merge: true, overwrite: true },
      'exists',
    );
    expectNames(at('elsewhere'), []);
  });
});
