import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';

/** Options of every command that needs a server. */
export interface ServerOptions {
  url?: string;
  json?: boolean;
}

/** Options of a command that starts an operation. */
export interface ActionOptions extends ServerOptions {
  detach?: boolean;
  /** In milliseconds. */
  giveUpAfter: number;
}

/** Adds `--url` and `--json`. */
export function addServerOptions(command: Command): Command {
  return command
    .option('--url <url>', 'server to use (default: WCC_URL, or the server of the last sign-in)')
    .option('--json', 'write JSON to standard output');
}

/** Adds the options of a command that watches an operation. */
export function addWatchOptions(command: Command): Command {
  return addServerOptions(command).addOption(
    new Option('--give-up-after <time>', 'give up when the server is unreachable for this long, e.g. 90s, 2h')
      .argParser(parseDurationMs)
      .default(600_000, '10m'),
  );
}

/** Adds the options of a command that starts an operation. */
export function addActionOptions(command: Command): Command {
  return addWatchOptions(command).option('--detach', 'print the id of the operation and return at once');
}

/** Parses `90`, `90s`, `10m` or `2h`. @returns milliseconds */
export function parseDurationMs(text: string): number {
  const [, number, unit] = /^(\d{1,9})([smh]?)$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('Expected a time like 90s, 10m or 2h.');
  const seconds = { h: 3600, m: 60 }[unit ?? ''] ?? 1;
  return Number(number) * seconds * 1000;
}

/** Parses `65536`, `64K`, `100M` or `2G`, with binary multiples. @returns bytes */
export function parseBytes(text: string): number {
  const [, number, unit] = /^(\d{1,12})([KMGT]?)(?:i?B)?$/i.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('Expected a size like 65536, 64K, 100M or 2G.');
  const power = ['', 'K', 'M', 'G', 'T'].indexOf((unit ?? '').toUpperCase());
  return Number(number) * 1024 ** power;
}

const mebibyte = 1_048_576;

/** Parses a memory size in whole MiB. A number without a unit would be bytes and is rejected. @returns bytes */
export function parseMemoryBytes(text: string): number {
  const size = parseBytes(text);
  if (size >= 16 * mebibyte && size % mebibyte === 0) return size;
  throw new InvalidArgumentError('Expected whole MiB with a unit, at least 16M, e.g. 512M or 4G.');
}

/** Collects the values of a repeatable option. */
export function collect(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value];
}

/** Parses a SHA-256 of 64 hexadecimal digits. @returns lower case */
export function parseDigest(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('Expected a SHA-256 of 64 hexadecimal digits.');
}

/** Parses a whole number from 1 to 1000. */
export function parseCount(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 1000) return number;
  throw new InvalidArgumentError('Expected a whole number from 1 to 1000.');
}
