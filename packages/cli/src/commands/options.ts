import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';

/** Options that every command with a server has. */
export interface ServerOptions {
  url?: string;
  json?: boolean;
}

/** Of a command that starts something long. */
export interface ActionOptions extends ServerOptions {
  detach?: boolean;
  giveUpAfter: number;
}

export function withServer(command: Command): Command {
  return command
    .option('--url <url>', 'server to speak to, instead of WCC_URL or the one of the last sign-in')
    .option('--json', 'write JSON on standard output');
}

export function withWatching(command: Command): Command {
  return withServer(command).option(
    '--give-up-after <time>',
    'end when the server is away for longer, e.g. 90s, 10m, 2h',
    durationMs,
    600_000,
  );
}

export function withAction(command: Command): Command {
  return withWatching(command).option('--detach', 'return at once with the id of the operation');
}

/** `90`, `90s`, `10m`, `2h` in milliseconds. */
export function durationMs(text: string): number {
  const [, number, unit] = /^(\d{1,9})([smh]?)$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('Give a time like 90s, 10m or 2h.');
  const seconds = { h: 3600, m: 60 }[unit ?? ''] ?? 1;
  return Number(number) * seconds * 1000;
}

/** `65536`, `64K`, `100M`, `2G`: binary multiples. */
export function bytes(text: string): number {
  const [, number, unit] = /^(\d{1,12})([KMGT]?)(?:i?B)?$/i.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('Give a size like 65536, 64K, 100M or 2G.');
  const power = ['', 'K', 'M', 'G', 'T'].indexOf((unit ?? '').toUpperCase());
  return Number(number) * 1024 ** power;
}

const mebibyte = 1_048_576;

/** As `bytes`. A number without its unit would be bytes, and is nobody's memory. */
export function memoryBytes(text: string): number {
  const size = bytes(text);
  if (size >= 16 * mebibyte && size % mebibyte === 0) return size;
  throw new InvalidArgumentError('Give whole MiB from 16M on, with the unit, e.g. 512M or 4G.');
}

/** For options that may be given several times. */
export function several(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value];
}

/** 64 hexadecimal digits. */
export function digest(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('A SHA-256 has 64 hexadecimal digits.');
}

export function count(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 1000) return number;
  throw new InvalidArgumentError('Give a whole number from 1 to 1000.');
}
