import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyTree, CopyError } from '@wcc/copy';
import { describe, expect, it } from 'vitest';
import { startChild } from '../testkit/child.testkit.ts';
import { mib, useDirectory, waitFor, writeRandom } from '../testkit/files.testkit.ts';
import { expectNames, expectTreeFailure } from '../testkit/tree.testkit.ts';

const rounds = Number(process.env['WCC_RACE_ROUNDS'] ?? 12);

/** Directories of the tree under attack: as many chances to open one that is a symlink at this moment. */
const directoryCount = 30;

/**
 * Swaps directories until it is stopped, in the source, in the staging directory and in the destination: one is renamed
 * away, a symlink to `outside` takes its place for a moment, and the directory returns.
 */
const attacker = String.raw`
  const fs = require('node:fs'), path = require('node:path');
  const [base, outside, count] = process.argv.slice(1);
  let swaps = 0;
  const swap = (at) => {
    const away = at + '~';
    try {
      fs.renameSync(at, away);
      fs.symlinkSync(outside, at);
      swaps += 1;
      const end = performance.now() + Math.random() * 0.4;
      while (performance.now() < end);
      fs.unlinkSync(at);
      fs.renameSync(away, at);
    } catch {
      try { fs.unlinkSync(at); } catch {}
      try { fs.renameSync(away, at); } catch {}
    }
  };
  const stagings = (directory) => fs.readdirSync(directory)
    .filter((name) => name.endsWith('.partial')).map((name) => path.join(directory, name));
  process.on('SIGTERM', () => { console.log(swaps); process.exit(0); });
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || process.exit(1), 500);
  console.log('ready');
  const round = () => {
    const into = path.join(base, 'into');
    const roots = [path.join(base, 'source'), into, ...stagings(base), ...stagings(into)];
    for (let turn = 0; turn < 10; turn += 1) {
      for (const root of roots) {
        const name = 'd' + Math.floor(Math.random() * Number(count));
        swap(path.join(root, Math.random() < 0.5 ? name : name + '/e'));
      }
    }
    setImmediate(round);
  };
  round();`;

interface Attack {
  ready: Promise<void>;
  /** Runs a check while the process is stopped. */
  pause(check: () => void): void;
  /** Ends the process, and returns how often it has put a symlink in place. */
  stop(): Promise<number>;
}

function startAttack(base: string, outside: string): Attack {
  const child = spawn(process.execPath, ['--eval', attacker, base, outside, String(directoryCount)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const ready = new Promise<void>((resolve) => {
    child.stdout.once('data', () => resolve());
  });
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
  });
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  return {
    ready,
    pause(check) {
      child.kill('SIGSTOP');
      try {
        check();
      } finally {
        child.kill('SIGCONT');
      }
    },
    async stop() {
      child.kill('SIGTERM');
      await closed;
      return Number(output.trim().split('\n').at(-1));
    },
  };
}

describe('a tree copy under attack', () => {
  const dir = useDirectory();

  it(
    `writes and reads nothing outside while a process swaps directories for symlinks, ${rounds} copies`,
    { timeout: 60_000 + rounds * 5000 },
    async () => {
      const base = join(dir(), 'base');
      const outside = join(dir(), 'outside');
      const secret = 'outside, never to be copied';
      mkdirSync(join(outside, 'g'), { recursive: true });
      mkdirSync(join(base, 'into'), { recursive: true });
      // The same names as in the tree, but none that the attacker itself could rename through a copied symlink.
      for (const path of ['f1', 'f2', 'g/f1', 'g/own']) writeFileSync(join(outside, path), secret);
      for (let directory = 0; directory < directoryCount; directory += 1) {
        for (const inner of ['', 'e', 'g']) {
          const path = join(base, 'source', `d${directory}`, inner);
          mkdirSync(path, { recursive: true });
          for (const file of ['f1', 'f2', 'f3']) writeFileSync(join(path, file), `inside ${path} ${file}`);
        }
      }
      const before = listing(outside);
      const attack = startAttack(base, outside);
      await attack.ready;
      const ends = { done: 0, failed: 0 };
      const runRound = async (round: number): Promise<void> => {
        const merges = round % 2 === 1;
        const options = {
          durable: false,
          merge: merges,
          overwrite: merges,
          concurrency: 1 + (round % 2),
          keepPartial: true,
        };
        const target = merges ? join(base, 'into') : join(base, `copy-${round}`);
        const error = await copyTree(join(base, 'source'), target, options).then(
          () => null,
          (failure: unknown) => failure,
        );
        if (error === null) ends.done += 1;
        else ends.failed += 1;
        if (error !== null) expect(error).toBeInstanceOf(CopyError);
        attack.pause(() => {
          expect(listing(outside)).toEqual(before);
          const copied = [target, ...leftIn(base), ...leftIn(join(base, 'into'))].flatMap(filesBelow);
          expect(copied.filter((path) => readFileSync(path, 'utf8') === secret)).toEqual([]);
          for (const path of [...leftIn(base), ...leftIn(join(base, 'into'))])
            execFileSync('rm', ['-rf', path]);
        });
      };
      let swaps = 0;
      try {
        for (let round = 0; round < rounds; round += 1) await runRound(round);
      } finally {
        swaps = await attack.stop();
      }
      expect(ends.done + ends.failed).toBe(rounds);
      // With few swaps, or none that hit a copy, the test would prove nothing.
      expect(swaps).toBeGreaterThan(300);
      expect(ends.failed, JSON.stringify(ends)).toBeGreaterThan(0);
    },
  );

  it('stops with destination_changed when its staging directory is moved away, and deletes nothing there', async () => {
    const source = join(dir(), 'moved-source');
    const other = join(dir(), 'other');
    mkdirSync(source);
    mkdirSync(other);
    for (let index = 0; index < 50; index += 1) writeRandom(join(source, `f${index}`), mib);
    const destination = join(dir(), 'moved-copy');
    const copying = expectTreeFailure(
      { source, destination },
      { id: 'moved', method: 'copy' },
      'destination_changed',
    );
    const staging = join(dir(), '.wcc-moved.partial');
    await waitFor(
      'the staging directory has files',
      () => existsSync(staging) && readdirSync(staging).length > 0,
    );
    renameSync(staging, join(other, 'taken'));
    await copying;
    expect(readdirSync(join(other, 'taken')).length).toBe(50);
    expect(existsSync(destination)).toBe(false);
    expect(existsSync(join(dir(), '.wcc-moved.json'))).toBe(false);
  });

  it.each(['stop', 'skip'] as const)(
    'names the directory that appeared in the source after its parent was copied, with onError: %s',
    async (onError) => {
      const source = join(dir(), `late-source-${onError}`);
      mkdirSync(source);
      for (let index = 0; index < 50; index += 1) writeRandom(join(source, `f${index}`), mib);
      const destination = join(dir(), `late-copy-${onError}`);
      // One worker: another one could read the directory late.
      const options = { id: `late-${onError}`, method: 'copy', onError, concurrency: 1 } as const;
      const copying = copyTree(source, destination, options).catch((error: unknown) => error);
      const staging = join(dir(), `.wcc-late-${onError}.partial`);
      await waitFor('the copy is at work', () => existsSync(staging) && readdirSync(staging).length > 0);
      const late = join(source, 'late');
      mkdirSync(late);
      writeRandom(join(late, 'f'), 1);
      const end = await copying;
      if (onError === 'stop') expect(end).toMatchObject({ code: 'source_changed', path: late });
      else expect(end).toMatchObject({ files: 50, failed: [{ code: 'source_changed', path: late }] });
      expect(existsSync(join(destination, 'late'))).toBe(false);
    },
  );

  it('fails with source_changed when a directory of the source is moved away, and leaves nothing behind', async () => {
    const source = join(dir(), 'left-source');
    mkdirSync(join(source, 'a'), { recursive: true });
    for (let index = 0; index < 50; index += 1) writeRandom(join(source, 'a', `f${index}`), mib);
    const destination = join(dir(), 'left-copy');
    const copying = expectTreeFailure(
      { source, destination },
      { id: 'left', method: 'copy' },
      'source_changed',
    );
    await waitFor('the copy is at work', () => existsSync(join(dir(), '.wcc-left.partial', 'a')));
    renameSync(join(source, 'a'), join(dir(), 'gone'));
    await copying;
    expect(readdirSync(dir()).filter((name) => name.startsWith('.wcc-') || name === 'left-copy')).toEqual([]);
  });
});

/** The hidden files that copies have left in a directory. */
function leftIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.startsWith('.wcc-'))
    .map((name) => join(directory, name));
}

function listing(directory: string): string[] {
  return filesBelow(directory).map((path) => `${path}: ${readFileSync(path, 'utf8')}`);
}

/** The regular files below a directory. Follows no symlink. */
function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const output = execFileSync('find', [directory, '-type', 'f', '-print0'], { encoding: 'utf8' });
  return output
    .split('\0')
    .filter((path) => path !== '')
    .toSorted();
}

/** Copies a tree that an ordinary user may not read in full, once without and once with `options`. */
async function asOrdinaryUser(directory: string, source: string, options: object): Promise<unknown> {
  const script = `
    const { chmodSync, readdirSync } = await import('node:fs');
    const source = ${JSON.stringify(join(directory, source))};
    chmodSync(source + '/inner', 0); chmodSync(source + '/secret', 0);
    const failure = await copy.copyTree(source, source + '-copy').catch((error) => error);
    const result = await copy.copyTree(source, source + '-copy', ${JSON.stringify(options)});
    const skipped = result.failed.map(({ code, path }) => code === 'permission' && path.slice(source.length + 1));
    console.log(JSON.stringify({
      stopped: failure.code, skipped: skipped.toSorted(), files: result.files, names: readdirSync(source + '-copy').toSorted(),
    }));`;
  return await runAsOrdinaryUser(directory, script);
}

/** Runs a module that prints JSON as a user without privileges, who owns the directory. */
async function runAsOrdinaryUser(directory: string, script: string): Promise<unknown> {
  const id = 65_534;
  const isRoot = process.getuid?.() === 0;
  if (isRoot) execFileSync('chown', ['-R', `${id}:${id}`, directory]);
  const prefix = ['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups'];
  const { stdout, stderr } = await startChild(script, isRoot ? prefix : []).ended;
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

/** Directories of depth 5,000 take seconds on a disk. */
const memory = '/dev/shm';

describe('unusual trees', () => {
  const dir = useDirectory(() => (existsSync(memory) ? memory : tmpdir()));
  const at = (name: string): string => join(dir(), name);

  /** A module that makes a chain of directories and enters each; its lowest one has a file. */
  const chainScript = (path: string, { depth, step }: { depth: number; step: string }): string => `
    const fs = await import('node:fs');
    process.chdir(${JSON.stringify(path)});
    for (let level = 0; level < ${depth}; level += 1) { ${step} process.chdir('directory'); }`;
  const makeChain = async (path: string, depth: number): Promise<void> => {
    mkdirSync(path);
    const script = chainScript(path, { depth, step: "fs.mkdirSync('directory');" });
    const { stderr } = await startChild(`${script} fs.writeFileSync('bottom', 'reached');`).ended;
    expect(stderr).toBe('');
  };

  it('copies a tree of depth 5,000, whose paths are longer than the system allows', async () => {
    const depth = 5000;
    await makeChain(at('deep'), depth);
    const result = await copyTree(at('deep'), at('deep-copy'), { durable: false });
    expect(result).toMatchObject({ directories: depth + 1, files: 1 });
    const check = chainScript(at('deep-copy'), { depth, step: '' });
    const { stdout } = await startChild(`${check} console.log(fs.readFileSync('bottom', 'utf8'));`).ended;
    expect(stdout.trim()).toBe('reached');
    // Node's own removal fails at this depth
    execFileSync('rm', ['-rf', at('deep'), at('deep-copy')]);
  }, 120_000);

  it('removes a deep staging directory when the destination appears while it copies', async () => {
    await makeChain(at('low'), 1200);
    const failing = expectTreeFailure(
      { source: at('low'), destination: at('late') },
      { id: 'low' },
      'exists',
    );
    await waitFor('the copy has begun', () => existsSync(at('.wcc-low.partial')));
    mkdirSync(at('late'));
    await failing;
    expect(readdirSync(dir()).filter((name) => name.startsWith('.wcc-'))).toEqual([]);
    execFileSync('rm', ['-rf', at('low')]);
  });

  it('an unreadable directory and an unreadable file stop the copy, or are listed with onError: skip', async () => {
    mkdirSync(at('closed/inner'), { recursive: true });
    mkdirSync(at('closed/read-only'));
    for (const name of ['secret', 'open', 'read-only/file']) writeFileSync(at(`closed/${name}`), name);
    chmodSync(at('closed/read-only'), 0o555);
    const options = { onError: 'skip' as const };
    const outcome = await asOrdinaryUser(dir(), 'closed', options);
    expect(outcome).toEqual({
      stopped: 'permission',
      skipped: ['inner', 'secret'],
      files: 2,
      names: ['open', 'read-only'],
    });
  });

  it('an ordinary user can resume and remove a copy that has directories without write and read permission', async () => {
    mkdirSync(at('modes/inner'), { recursive: true });
    writeFileSync(at('modes/inner/file'), 'x');
    symlinkSync('file', at('modes/inner/link'));
    const script = `
      const { chmodSync, mkdirSync, readdirSync, rmdirSync, existsSync } = await import('node:fs');
      const base = ${JSON.stringify(dir())}, source = base + '/modes', target = base + '/modes-copy';
      chmodSync(source + '/inner', 0o555);
      const failAtTheEnd = async (options) => {
        const failing = copy.copyTree(source, target, { id: 'modes', ...options }).catch((error) => error.code);
        while (!existsSync(base + '/.wcc-modes.partial')) await new Promise((resolve) => setTimeout(resolve, 1));
        mkdirSync(target);
        const code = await failing;
        rmdirSync(target);
        return [code, readdirSync(base).filter((name) => name.startsWith('.wcc-')).length];
      };
      const removed = await failAtTheEnd({});
      const kept = await failAtTheEnd({ keepPartial: true });
      const { reusedFiles } = await copy.copyTree(source, target, { id: 'modes' });
      mkdirSync(base + '/merged');
      await copy.copyTree(source, base + '/merged', { merge: true });
      console.log(JSON.stringify({ kept, removed, reusedFiles, names: readdirSync(base + '/merged/inner') }));`;
    expect(await runAsOrdinaryUser(dir(), script)).toEqual({
      kept: ['exists', 2],
      removed: ['exists', 0],
      reusedFiles: 1,
      names: ['file', 'link'],
    });
  });

  it('copies names of 255 bytes, and symlinks with targets of 4,095 bytes', async () => {
    mkdirSync(at('names'));
    const name = 'n'.repeat(255);
    writeFileSync(at(`names/${name}`), 'x');
    symlinkSync('t'.repeat(4095), at('names/link'));
    expect(await copyTree(at('names'), at('names-copy'))).toMatchObject({ files: 1, symlinks: 1 });
    expectNames(at('names-copy'), ['link', name]);
  });

  it('refuses a tree that has the name of its own staging directory', async () => {
    mkdirSync(at('own'));
    writeFileSync(at('own/.wcc-same.partial'), 'x');
    await expectTreeFailure({ source: at('own'), destination: at('own-copy') }, { id: 'same' }, 'exists');
    expect((await copyTree(at('own'), at('own-copy'))).files).toBe(1);
    rmSync(at('own'), { recursive: true });
  });
});
