import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readEnvironmentFile } from './environment-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'wcc-environment-file-'));
afterAll(() => rmSync(directory, { recursive: true }));

const path = join(directory, 'wcc.env');
const names = ['WCC_PORT', 'WCC_POOL', 'WCC_ADMIN_TOKEN', 'WCC_LOG_LEVEL'];

function read(text: string | Buffer): Record<string, string> {
  writeFileSync(path, text);
  const { assignments } = readEnvironmentFile(path, { names, secrets: ['WCC_ADMIN_TOKEN'] });
  return Object.fromEntries([...assignments].map(([name, { text: value }]) => [name, value]));
}

describe('readEnvironmentFile', () => {
  it.each([
    ['WCC_PORT=8400', '8400'],
    ['  WCC_PORT = 8400  ', '8400'],
    ['WCC_PORT=8400\r', '8400'],
    ['WCC_PORT=', ''],
    ['WCC_PORT="8400"', '8400'],
    ["WCC_PORT='a b'", 'a b'],
    ['WCC_PORT=a b', 'a b'],
    ['WCC_PORT=a#b', 'a#b'],
    ['WCC_PORT=a # b', 'a # b'],
    ['WCC_PORT="a\\"b\\\\c\\$d"', 'a"b\\c$d'],
    ["WCC_PORT='a\\b'", 'a\\b'],
    ['WCC_PORT=a"b"', 'a"b"'],
    ['WCC_PORT=a=b', 'a=b'],
    ['# WCC_PORT=1\n; WCC_PORT=2\n\nWCC_PORT=3', '3'],
  ])('reads %j as %j', (text, value) => {
    expect(read(text)).toEqual({ WCC_PORT: value });
  });

  it.each([
    ['WCC_PORT', 'The line is not NAME=VALUE.'],
    ['export WCC_PORT=1', 'The line is not NAME=VALUE.'],
    ['=1', 'The line is not NAME=VALUE.'],
    ['WCC_PROT=1', 'WCC_PROT is not a setting of wcc. Did you mean WCC_PORT?'],
    ['wcc_port=1', 'wcc_port is not a setting of wcc. Did you mean WCC_PORT?'],
    ['WCC_LOGLEVEL=info', 'WCC_LOGLEVEL is not a setting of wcc. Did you mean WCC_LOG_LEVEL?'],
    ['NODE_OPTIONS=--inspect', 'NODE_OPTIONS is not a setting of wcc.'],
    ['WCC_PORT="1', 'The value begins with " and does not end in the same line.'],
    ["WCC_PORT='1\n'", "The value begins with ' and does not end in the same line."],
    ['WCC_PORT="1" # web', 'Text follows the quoted value. A comment needs a line of its own.'],
    ['WCC_PORT=1\\', 'A value with a backslash needs single quotes.'],
    ['WCC_PORT=1\u0007', 'The value contains a control character.'],
  ])('refuses %j with its line: %s', (line, reason) => {
    expect(() => read(`# first\nWCC_POOL=/pool\n${line}\n`)).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: `${path}:3: ${reason}` }),
    );
  });

  it('refuses a setting that stands there twice, and names both lines', () => {
    expect(() => read('WCC_PORT=1\n#\nWCC_PORT=1\n')).toThrow(
      `${path}:3: WCC_PORT is already set in line 1.`,
    );
  });

  it('refuses a token in a file that every user of the host can read', () => {
    const token = 'WCC_ADMIN_TOKEN=0123456789abcdef0123456789abcdef\n';
    chmodSync(path, 0o644);
    const refused = { code: 'config_public', message: expect.stringContaining(`${path}:2: `) as string };
    expect(() => read(`\n${token}`)).toThrow(expect.objectContaining(refused));
    expect(read('WCC_ADMIN_TOKEN=\n')).toEqual({ WCC_ADMIN_TOKEN: '' });
    chmodSync(path, 0o640);
    expect(read(token)).toHaveProperty('WCC_ADMIN_TOKEN');
  });

  it.each([
    ['a file that does not exist', join(directory, 'absent'), 'there is no such file'],
    ['a directory', directory, 'it is a directory'],
  ])('refuses %s', (_what, wrong, reason) => {
    expect(() => readEnvironmentFile(wrong, { names, secrets: [] })).toThrow(
      expect.objectContaining({ code: 'config_unreadable', message: `${wrong}: ${reason}.` }),
    );
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(() => read(Buffer.from([0x57, 0xff, 0x0a]))).toThrow(/it is not UTF-8 text/);
  });
});
