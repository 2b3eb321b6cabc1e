import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { completionScript, shells } from './completion/script.ts';
import { exitCodes } from './runtime/exit-codes.ts';
import { createProgram } from './program.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const page = readFileSync(`${root}docs/cli.md`, 'utf8');

async function makeProgram(words?: readonly string[]): Promise<{ program: Command; written: () => string }> {
  let text = '';
  const stream = { write: (more: string) => (text += more) };
  const { signal } = new AbortController();
  const stdin = Readable.from([]);
  const context = { env: {}, stdin, stdout: stream, stderr: stream, interrupt: signal };
  const program = await createProgram(context, '1.2.3', words);
  return { program, written: () => text };
}

/** zsh and fish may not be installed. */
function has(shell: string): boolean {
  return spawnSync(shell, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Every command without subcommands, with its path. */
function leaves(command: Command, path: readonly string[] = []): { path: string; command: Command }[] {
  if (command.commands.length === 0) return [{ path: path.join(' '), command }];
  return command.commands.flatMap((child) => leaves(child, [...path, child.name()]));
}

const { program: whole } = await makeProgram();

describe('docs/cli.md', () => {
  it.each(leaves(whole))('names $path, its arguments and its options', ({ path, command }) => {
    const row = page.split('\n').find((line) => line.startsWith(`| \`wcc ${path}`)) ?? '';
    const words = row.split('`')[1]?.replace(`wcc ${path}`, '').trim() ?? '';
    const documented = words === '' ? [] : words.split(' ');
    const names = command.registeredArguments.map((argument) => {
      const name = argument.name().toUpperCase();
      return argument.required ? name : `[${name}]`;
    });
    if (path !== 'serve') expect(documented).toEqual(names);
    for (const { long } of command.options) expect(page).toContain(`\`${long}`);
  });

  it('lists every exit code', () => {
    const rows = page.split('\n').filter((line) => /^\| `\d+` /.test(line));
    const cells = rows.map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
    expect(cells).toEqual(Object.values(exitCodes).map(({ code, meaning }) => [`\`${code}\``, meaning]));
  });
});

describe('help', () => {
  it.each(leaves(whole).filter(({ path }) => path !== 'serve'))(
    'of $path prints its usage',
    async ({ path }) => {
      const words = [...path.split(' '), '--help'];
      const { program, written } = await makeProgram(words);
      const end: unknown = await program.parseAsync(words, { from: 'user' }).catch((error: unknown) => error);
      expect(end).toMatchObject({ exitCode: 0 });
      expect(written()).toContain(`Usage: wcc ${path}`);
    },
  );

  it('the help of the program lists every exit code', async () => {
    const { program, written } = await makeProgram();
    program.outputHelp();
    for (const { meaning } of Object.values(exitCodes)) expect(written()).toContain(meaning);
  });
});

describe('loading', () => {
  const loaded = async (words: readonly string[]): Promise<string[]> =>
    leaves((await makeProgram(words)).program).map(({ path }) => path);
  const all = leaves(whole).map(({ path }) => path);

  it('loads only the named command', async () => {
    expect(await loaded(['op', 'ls', '--json'])).toEqual(['op ls']);
    expect(await loaded(['vm', 'quick-create', 'a', 'b'])).toEqual(['vm quick-create']);
    expect(await loaded(['login', 'http://localhost'])).toEqual(['login']);
  });

  it('loads a group for its help and for an unknown command', async () => {
    const group = all.filter((path) => path.startsWith('op '));
    for (const words of [['op'], ['op', '--help'], ['op', 'lss']]) expect(await loaded(words)).toEqual(group);
  });

  it('loads no subcommand for the help', async () => {
    const names = [...new Set(all.map((path) => path.split(' ')[0]))];
    for (const words of [[], ['--help'], ['-h']]) expect(await loaded(words)).toEqual(names);
  });

  it('loads every command for the completion and for words that name none', async () => {
    for (const words of [['completion', 'bash'], ['imag'], ['--', 'op', 'ls']])
      expect(await loaded(words)).toEqual(all);
  });
});

describe('completion', () => {
  const scripts = shells.map((shell) => completionScript(whole, shell));

  const cases: [string[], string[]][] = [
    [['im'], ['image']],
    [['image', 'cop'], ['copy']],
    [['image', 'copy', '--me'], ['--method']],
    [['op', 'watch', '--js'], ['--json']],
    [['completion', 'z'], ['zsh']],
    [['image', 'upload', 'READ'], ['README.md']],
    [['image', 'copy', 'x'], []],
    [['vm', 'sta'], ['start']],
    [['vm', 'create', 'x', '--firmware', 'u'], ['uefi']],
    [['vm', 'create', 'x', '--ssh-key', 'READ'], ['README.md']],
    [['vm', 'create', 'x', '--cpus', ''], []],
  ];
  const expected = cases.map(([, words]) => words.join(' '));
  const quoted = ([words]: (typeof cases)[number]): string => words.map((word) => `'${word}'`).join(' ');

  function ask(shell: string, script: string): string[] {
    const flags = { bash: ['--norc', '-c'], zsh: ['-f', '-c'], fish: ['--no-config', '-c'] }[shell] ?? [];
    const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', LANG: 'C.UTF-8' };
    const stdio = ['ignore' as const, 'pipe' as const, 'ignore' as const];
    const answer = execFileSync(shell, [...flags, script], { encoding: 'utf8', cwd: root, env, stdio });
    return answer.split('\n').slice(0, -1);
  }

  it('works in bash', () => {
    const asked = cases.map(
      (one) =>
        `COMP_WORDS=(wcc ${quoted(one)}); COMP_CWORD=${one[0].length}; COMPREPLY=(); _wcc; echo "\${COMPREPLY[*]}"`,
    );
    expect(ask('bash', [scripts[0], ...asked].join('\n'))).toEqual(expected);
  });

  it('completes a file name with blanks in bash', () => {
    const made = `cd "$(mktemp -d)"; touch 'a b.iso' 'a c.iso'; COMP_WORDS=(wcc image upload a); COMP_CWORD=3`;
    const complete = `_wcc; printf '%s|' "\${COMPREPLY[@]}"; rm -r "$PWD"; echo`;
    expect(ask('bash', [scripts[0], made, complete].join('\n'))).toEqual(['a b.iso|a c.iso|']);
  });

  it.skipIf(!has('zsh'))('works in zsh', () => {
    // `compadd` exists only in the line editor; this one keeps the matches of the word, like the real one.
    const compadd = 'compadd() { found+=(${(M)matches:#${words[CURRENT]}*}) }';
    const asked = cases.map(
      (one) =>
        `typeset -aU found=(); words=(wcc ${quoted(one)}); CURRENT=${one[0].length + 1}; _bash_complete -F _wcc; print -r -- "$found"`,
    );
    expect(ask('zsh', [scripts[1], compadd, ...asked].join('\n'))).toEqual(expected);
  });

  it.skipIf(!has('fish'))('works in fish', () => {
    const asked = cases.map((one) => `echo (complete -C "wcc ${one[0].join(' ')}" | string split -f 1 \\t)`);
    expect(ask('fish', [scripts[2], ...asked].join('\n'))).toEqual(expected);
  });

  it('contains every command in every shell', () => {
    for (const { path } of leaves(whole)) {
      for (const script of scripts) expect(script).toContain(path.split(' ').at(-1));
    }
  });
});
