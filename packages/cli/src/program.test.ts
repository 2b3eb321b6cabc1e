import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { completionScript, shells } from './completion/script.ts';
import { exitCodes } from './frame/exit-codes.ts';
import { createProgram } from './program.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const page = readFileSync(`${root}docs/cli.md`, 'utf8');

function makeProgram(): { program: Command; written: () => string } {
  let text = '';
  const stream = { write: (more: string) => (text += more) };
  const { signal } = new AbortController();
  const stdin = Readable.from([]);
  const program = createProgram(
    { env: {}, stdin, stdout: stream, stderr: stream, interrupt: signal },
    '1.2.3',
  );
  return { program, written: () => text };
}

/** Every command that does something, with the words that name it. */
function leaves(command: Command, path: readonly string[] = []): { path: string; command: Command }[] {
  if (command.commands.length === 0) return [{ path: path.join(' '), command }];
  return command.commands.flatMap((child) => leaves(child, [...path, child.name()]));
}

describe('docs/cli.md', () => {
  const { program } = makeProgram();

  it.each(leaves(program))('names $path, its arguments and its options', ({ path, command }) => {
    const row = page.split('\n').find((line) => line.startsWith(`| \`wcc ${path}`)) ?? '';
    const words = row.split('`')[1]?.replace(`wcc ${path}`, '').trim() ?? '';
    const told = words === '' ? [] : words.split(' ');
    const names = command.registeredArguments.map((argument) => {
      const name = argument.name().toUpperCase();
      return argument.required ? name : `[${name}]`;
    });
    if (path !== 'serve') expect(told).toEqual(names);
    for (const { long } of command.options) expect(page).toContain(`\`${long}`);
  });

  it('tells every exit code as it is', () => {
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
  it.each(leaves(makeProgram().program).filter(({ path }) => path !== 'serve'))(
    'of $path says what it does',
    async ({ path }) => {
      const { program, written } = makeProgram();
      const end: unknown = await program
        .parseAsync([...path.split(' '), '--help'], { from: 'user' })
        .catch((error: unknown) => error);
      expect(end).toMatchObject({ exitCode: 0 });
      expect(written()).toContain(`Usage: wcc ${path}`);
    },
  );

  it('of the whole names every exit code', () => {
    const { program, written } = makeProgram();
    program.outputHelp();
    for (const { meaning } of Object.values(exitCodes)) expect(written()).toContain(meaning);
  });
});

describe('completion', () => {
  const scripts = shells.map((shell) => completionScript(makeProgram().program, shell));

  it('works in bash', () => {
    const cases: [string[], string[]][] = [
      [['im'], ['image']],
      [['image', 'cop'], ['copy']],
      [['image', 'copy', '--me'], ['--method']],
      [['op', 'watch', '--js'], ['--json']],
      [['completion', 'z'], ['zsh']],
      [['image', 'upload', 'READ'], ['README.md']],
      [['image', 'copy', 'x'], ['']],
    ];
    const asked = cases.map(([words]) => {
      const list = words.map((word) => `'${word}'`).join(' ');
      return `COMP_WORDS=(wcc ${list}); COMP_CWORD=${words.length}; _wcc; echo "\${COMPREPLY[*]}"`;
    });
    const run = [scripts[0], ...asked].join('\n');
    const answer = execFileSync('bash', ['--norc', '-c', run], { encoding: 'utf8', cwd: root });
    expect(answer.split('\n').slice(0, -1)).toEqual(cases.map(([, expected]) => expected.join(' ')));
  });

  it('knows every command in every shell', () => {
    for (const { path } of leaves(makeProgram().program)) {
      for (const script of scripts) expect(script).toContain(path.split(' ').at(-1));
    }
  });
});
