import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { isAbsolute, resolve } from 'node:path';
import { isAddressRange } from './address-range.ts';
import type { FreeSpaceFloor, UploadQuota } from './config.ts';
import type { Setting } from './settings.ts';
import { refuse } from './settings.ts';

/** Turns the text of one setting into its value. @throws ConfigError that names the place of the setting */
export type ParseValue<T> = (setting: Setting) => T;

/** A whole number from `min` to `max`. */
export function integer({ min, max }: { min: number; max: number }): ParseValue<number> {
  return (setting) => {
    const value = /^\d+$/.test(setting.text) ? Number(setting.text) : Number.NaN;
    if (value >= min && value <= max) return value;
    return refuse(setting, `${setting.text} is not a whole number from ${min} to ${max}`);
  };
}

/** A number of bytes. */
export const bytes: ParseValue<number> = integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

/** One of a list of words. */
export function oneOf<T extends string>(words: readonly T[]): ParseValue<T> {
  return (setting) =>
    words.find((word) => word === setting.text) ??
    refuse(setting, `${setting.text} is not one of ${words.join(', ')}`);
}

export const toggle: ParseValue<boolean> = (setting) => {
  if (['1', 'true', 'yes', 'on'].includes(setting.text)) return true;
  if (['0', 'false', 'no', 'off'].includes(setting.text)) return false;
  return refuse(setting, `${setting.text} is not true or false`);
};

/** A path of this host. A file has no current directory, so its paths are absolute. */
export const path: ParseValue<string> = (setting) => {
  if (setting.origin.kind === 'file' && !isAbsolute(setting.text))
    refuse(setting, `${setting.text} is not an absolute path`);
  return resolve(setting.text);
};

/** An IP address or a host name, without the brackets of an IPv6 address. */
export const listenAddress: ParseValue<string> = (setting) => {
  const host = setting.text.replace(/^\[(.*)\]$/, '$1');
  const label = /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/;
  // Digits and dots alone are a mistyped IPv4 address.
  const isName = !/^[\d.]+$/.test(host) && host.split('.').every((part) => label.test(part));
  if (isIP(host) !== 0 || isName) return host;
  return refuse(setting, `${setting.text} is not an IP address or a host name`);
};

/** Fractions of a day are for trials. */
export const days: ParseValue<number> = (setting) => {
  const value = /^\d{1,4}(?:\.\d{1,6})?$/.test(setting.text) ? Number(setting.text) : 0;
  return value > 0 ? value * 86_400_000 : refuse(setting, `${setting.text} is not a number of days`);
};

function fraction(text: string): number | null {
  const percent = /^(\d{1,2}(?:\.\d+)?|100)%$/.exec(text)?.[1];
  return percent === undefined ? null : Number(percent) / 100;
}

function isBytes(text: string, min: number): boolean {
  return /^\d+$/.test(text) && Number.isSafeInteger(Number(text)) && Number(text) >= min;
}

const wholeBytes = 'a whole number of bytes, e.g. 1073741824, or a percentage, e.g. 5%';

export const uploadQuota: ParseValue<UploadQuota> = (setting) => {
  const freeFraction = fraction(setting.text);
  if (freeFraction !== null) return { freeFraction };
  if (isBytes(setting.text, 1)) return { bytes: Number(setting.text) };
  return refuse(setting, `${setting.text} is not ${wholeBytes}`);
};

export const spaceFloor: ParseValue<FreeSpaceFloor> = (setting) => {
  const ofFileSystem = fraction(setting.text);
  if (ofFileSystem !== null && ofFileSystem < 1) return { bytes: 0, fraction: ofFileSystem };
  if (isBytes(setting.text, 0)) return { bytes: Number(setting.text), fraction: 0 };
  return refuse(setting, `${setting.text} is not ${wholeBytes}, below 100%`);
};

/** Scheme, host and port. */
export const publicOrigin: ParseValue<string> = (setting) => {
  const url = URL.canParse(setting.text) ? new URL(setting.text) : null;
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  const isOrigin = url?.pathname === '/' && !url.search && !url.hash && !url.username && !url.password;
  if (url && isWeb && isOrigin) return url.origin;
  return refuse(setting, `${setting.text} is not an http or https origin`, { code: 'public_url_invalid' });
};

/** Addresses and CIDR ranges. */
export const ranges: ParseValue<string[]> = (setting) => {
  const list = parts(setting);
  const wrong = list.find((part) => !isAddressRange(part));
  return wrong === undefined ? list : refuse(setting, `${wrong} is not an address or a CIDR range`);
};

export const foreignOrigins: ParseValue<string[]> = (setting) =>
  parts(setting).map((part) => {
    const url = URL.canParse(part) ? new URL(part) : null;
    if (url !== null && url.origin === part) return part;
    return refuse(setting, `${part} is not an origin, e.g. https://status.example.org`);
  });

function parts({ text }: Setting): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** The content of the file that a setting names. */
export function fileContent(setting: Setting, code: 'tls_unreadable' | 'admin_token_unreadable'): string {
  const file = path(setting);
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    return refuse(setting, `the server cannot read ${file}`, { code, cause });
  }
}
