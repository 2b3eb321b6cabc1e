import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
const programs = Object.entries(scripts)
  .filter(([name]) => name.startsWith('bench:'))
  .flatMap(([, command]) => command.match(/bench\/\S+\.mjs/g) ?? []);

/** @returns exit code and standard error */
async function run(program: string, ...args: string[]): Promise<[number, string]> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { timeout: 60_000 }, (error, _stdout, stderr) =>
      resolve([error === null ? 0 : Number(error.code), stderr]),
    );
  });
}

it('F31: every benchmark refuses words and options that it does not know, in one line and its usage', async () => {
  expect(programs.length).toBeGreaterThan(5);
  for (const program of new Set(programs)) {
    for (const wrong of [['one', 'one'], ['--unknown']]) {
      const [code, text] = await run(program, ...wrong);
      expect([program, wrong, code]).toEqual([program, wrong, 2]);
      expect(text).toContain(wrong.at(-1));
      expect(text.split('\n').length).toBeGreaterThan(3);
      expect(text).not.toContain('    at ');
    }
  }
}, 120_000);
