import type { FirstBoot } from '@wcc/api';
import { createHash } from 'node:crypto';
import type { VolumeFile } from './iso9660.ts';

/** The data of a NoCloud seed. */
export interface SeedContents {
  /** Unique per machine: cloud-init treats a new id as a new machine. */
  instanceId: string;
  hostname: string;
  firstBoot: FirstBoot;
}

/**
 * The files of a NoCloud seed. Writes YAML as JSON, which is valid YAML, so that input cannot become syntax.
 */
export function seedFiles({ instanceId, hostname, firstBoot }: SeedContents): VolumeFile[] {
  const metaData = { 'instance-id': instanceId, 'local-hostname': hostname };
  return [
    { name: 'meta-data', content: Buffer.from(`${toYaml(metaData)}\n`) },
    { name: 'user-data', content: Buffer.from(userData(firstBoot, hostname)) },
  ];
}

function userData(firstBoot: FirstBoot, hostname: string): string {
  const config = `#cloud-config\n${toYaml(cloudConfig(firstBoot, hostname))}\n`;
  return firstBoot.userData === undefined ? config : multipart([config, firstBoot.userData]);
}

function cloudConfig({ user, sshKeys, passwordHash }: FirstBoot, hostname: string): object {
  const login = {
    ...(sshKeys.length === 0 ? {} : { ssh_authorized_keys: sshKeys }),
    ...(passwordHash === undefined ? {} : { hashed_passwd: passwordHash, lock_passwd: false }),
  };
  const common = { hostname, ssh_pwauth: false };
  if (user === undefined) {
    // cloud-init applies this to the image's default user.
    return Object.keys(login).length === 0 ? common : { ...common, user: login };
  }
  const account = {
    name: user,
    shell: '/bin/bash',
    sudo: 'ALL=(ALL) NOPASSWD:ALL',
    lock_passwd: true,
    ...login,
  };
  return { ...common, users: [account] };
}

/**
 * JSON in pure ASCII: YAML treats some characters as line ends that JSON does not, and older parsers reject
 * others.
 */
function toYaml(value: object): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Combines our part with the user's unchanged text: cloud-init reads both. RFC 2046. */
function multipart(parts: readonly string[]): string {
  const boundary = `wcc-${createHash('sha256').update(parts.join('\0')).digest('hex')}`;
  const encoded = parts.map((part) => {
    const lines = Buffer.from(part).toString('base64').replaceAll(/.{76}/g, '$&\n');
    // cloud-init detects the type of a plain-text part from its first line: `#cloud-config`, `#!`, …
    const head = `Content-Type: text/plain; charset="utf-8"\nMIME-Version: 1.0\nContent-Transfer-Encoding: base64`;
    return `--${boundary}\n${head}\n\n${lines}\n`;
  });
  const head = `Content-Type: multipart/mixed; boundary="${boundary}"\nMIME-Version: 1.0`;
  return `${head}\n\n${encoded.join('')}--${boundary}--\n`;
}
