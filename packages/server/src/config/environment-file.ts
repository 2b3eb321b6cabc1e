import { readFileSync, statSync } from 'node:fs';
import { ConfigError } from './errors.ts';
import { nearest } from './nearest.ts';

/** One assignment of a configuration file. */
export interface Assignment {
  text: string;
  /** From 1. */
  line: number;
}

/** The known names that a configuration file sets. */
export interface EnvironmentFile {
  path: string;
  assignments: ReadonlyMap<string, Assignment>;
}

export interface ReadFileOptions {
  /** Names that may stand in the file. */
  names: readonly string[];
  /** Names of secrets. A file with one of them must not be readable for every user. */
  secrets: readonly string[];
}

const everyUser = 0o007;

/**
 * Reads a configuration file: the part of the syntax of systemd's `EnvironmentFile=` that has one meaning only
 * (docs/configuration.md).
 * @throws ConfigError `config_unreadable`, `config_invalid`, `config_public`; the message names file and line
 */
export function readEnvironmentFile(path: string, options: ReadFileOptions): EnvironmentFile {
  const assignments = parse(path, readText(path), options.names);
  for (const name of options.secrets) {
    const secret = assignments.get(name);
    if (secret === undefined || secret.text === '' || (statSync(path).mode & everyUser) === 0) continue;
    const where = `${path}:${secret.line}`;
    throw new ConfigError('config_public', `${where}: every user of this host can read ${name}.`);
  }
  return { path, assignments };
}

function readText(path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = reasons[code ?? ''] ?? 'the file is not readable';
    throw new ConfigError('config_unreadable', `${path}: ${reason}.`, cause);
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a directory',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text',
};

function parse(path: string, text: string, names: readonly string[]): Map<string, Assignment> {
  const assignments = new Map<string, Assignment>();
  for (const [index, written] of text.split(/\r?\n/).entries()) {
    const line = written.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const number = index + 1;
    const refuse = (reason: string): never => {
      throw new ConfigError('config_invalid', `${path}:${number}: ${reason}`);
    };
    const { name, value } = parseLine(line) ?? refuse('The line is not NAME=VALUE.');
    if (!names.includes(name)) refuse(unknownName(name, names));
    const earlier = assignments.get(name);
    if (earlier !== undefined) refuse(`${name} is already set in line ${earlier.line}.`);
    assignments.set(name, { text: 'text' in value ? value.text : refuse(value.wrong), line: number });
  }
  return assignments;
}

function unknownName(name: string, names: readonly string[]): string {
  const meant = nearest(name.toUpperCase(), names);
  return `${name} is not a setting of wcc.${meant === null ? '' : ` Did you mean ${meant}?`}`;
}

type Value = { text: string } | { wrong: string };

function parseLine(line: string): { name: string; value: Value } | null {
  const [, name, rest] = /^([A-Za-z_]\w*)\s*=(.*)$/.exec(line) ?? [];
  return name === undefined || rest === undefined ? null : { name, value: parseValue(rest.trimStart()) };
}

/** What systemd and shells read differently is refused, so that no value has a second meaning. */
function parseValue(written: string): Value {
  const quote = written[0];
  if (quote === '"' || quote === "'") return parseQuoted(written, quote);
  if (written.includes('\\')) return { wrong: 'A value with a backslash needs single quotes.' };
  return withoutControls(written);
}

function parseQuoted(written: string, quote: string): Value {
  const body = (quote === '"' ? /^"((?:[^"\\]|\\.)*)"/ : /^'([^']*)'/).exec(written);
  if (body === null) return { wrong: `The value begins with ${quote} and does not end in the same line.` };
  if (body[0].length !== written.length)
    return { wrong: 'Text follows the quoted value. A comment needs a line of its own.' };
  const text = body[1] ?? '';
  return withoutControls(quote === '"' ? text.replaceAll(/\\(["\\$`])/g, '$1') : text);
}

function withoutControls(text: string): Value {
  return /\p{Cc}/u.test(text) ? { wrong: 'The value contains a control character.' } : { text };
}
