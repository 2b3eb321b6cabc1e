// Node and the packages with native code in a package: which files stay, and a proof that they run.
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readSync, readdirSync, rmSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { architectures } from './facts.mjs';

/** Sources and C headers that nothing loads. `koffi/src` stays: it contains the JavaScript of koffi. */
const unused = ['koffi/doc', 'koffi/vendor', 'koffi/lib', 'koffi/cnoke.cjs', 'koffi/CHANGELOG.md'];

/** Removes files for musl, type declarations, sources of C, and folders that are empty afterwards. */
export function prune(modules) {
  for (const path of unused) rmSync(join(modules, path), { recursive: true, force: true });
  const paths = readdirSync(modules, { recursive: true, encoding: 'utf8' }).toSorted();
  for (const path of paths) {
    const isForMusl = /(^|[/_-])musl([/_-]|$)/.test(path);
    if (isForMusl || /(\.(d\.[cm]?ts|cc|cpp|hh?|c|S|asm|inc|def)|CMakeLists\.txt|README\.md)$/.test(path))
      rmSync(join(modules, path), { recursive: true, force: true });
  }
  for (const path of paths.toReversed()) {
    const folder = join(modules, path);
    const isEmpty = existsSync(folder) && statSync(folder).isDirectory() && readdirSync(folder).length === 0;
    if (isEmpty) rmdirSync(folder);
  }
}

/** npm drops an optional package that fails without a word, so each file is expected by its name. */
export function assertNatives(home, architecture) {
  const { cpu, elfMachine } = architectures[architecture];
  const expected = [
    'bin/node',
    `node_modules/@koromix/koffi-linux-${cpu}/linux_${cpu}/koffi.node`,
    `node_modules/@libsql/linux-${cpu}-gnu/index.node`,
    `node_modules/@node-rs/argon2-linux-${cpu}-gnu/argon2.linux-${cpu}-gnu.node`,
  ];
  const found = readdirSync(home, { recursive: true, encoding: 'utf8' })
    .filter((path) => machineOf(join(home, path)) !== null)
    .toSorted();
  if (found.join() !== expected.toSorted().join())
    throw new Error(
      `${architecture}: expected the binaries ${expected.join(', ')}; found ${found.join(', ')}`,
    );
  const foreign = found.filter((path) => machineOf(join(home, path)) !== elfMachine);
  if (foreign.length > 0) throw new Error(`${architecture}: binaries of another one: ${foreign.join(', ')}`);
}

/** The machine number of an ELF file; null for any other file. */
function machineOf(path) {
  if (!statSync(path).isFile()) return null;
  const header = Buffer.alloc(20);
  const file = openSync(path, 'r');
  try {
    readSync(file, header, 0, header.length, 0);
  } finally {
    closeSync(file);
  }
  return header.readUInt32BE(0) === 0x7f45_4c46 ? header.readUInt16LE(18) : null;
}

/** Each native module does its work once: a system call, a row, a hash. */
const trial = `
  const koffi = require('koffi');
  const pid = koffi.load('libc.so.6').func('int getpid()')();
  const Database = require('libsql');
  const { sum } = new Database(':memory:').prepare('select 19 + 23 as sum').get();
  const { hashSync, verifySync } = require('@node-rs/argon2');
  const isVerified = verifySync(hashSync('a password'), 'a password');
  console.log([process.arch, process.version, pid > 0, sum, isVerified].join());
`;

/**
 * Runs Node, each native module and the command.
 * @returns null, or why the binaries cannot run on this host
 */
export function runNatives(home, { architecture, version }) {
  const { cpu, emulator } = architectures[architecture];
  const isForeign = cpu !== process.arch;
  if (isForeign && (emulator === null || !isInstalled(emulator)))
    return `needs ${emulator?.program ?? 'an emulator'} and the libraries of ${architecture}`;
  const run = (args) => {
    const node = join(home, 'bin/node');
    const [program, ...rest] = isForeign ? [emulator.program, '-L', emulator.libraries, node] : [node];
    return execFileSync(program, [...rest, ...args], { cwd: home, encoding: 'utf8' }).trim();
  };
  const [arch, , ...works] = run(['-e', trial]).split(',');
  if (arch !== cpu || works.join() !== 'true,42,true')
    throw new Error(`${architecture}: a native module does not work: ${arch}, ${works.join()}`);
  const printed = run(['node_modules/@wcc/cli/bin/wcc.js', '--version']);
  if (printed !== version) throw new Error(`${architecture}: wcc --version printed ${printed}`);
  return null;
}

function isInstalled({ program, libraries }) {
  const folders = (process.env.PATH ?? '').split(':');
  return folders.some((folder) => existsSync(join(folder, program))) && existsSync(libraries);
}
