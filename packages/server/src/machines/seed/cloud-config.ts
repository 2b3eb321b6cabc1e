import type { FirstBoot } from '@wcc/api';
import { createHash } from 'node:crypto';
import type { VolumeFile } from './iso9660.ts';

/** What belongs into a NoCloud seed. */
export interface SeedContents {
  /** Fresh for every machine: cloud-init takes another one for another machine. */
  instanceId: string;
  hostname: string;
  firstBoot: FirstBoot;
}

/**
 * The files of a NoCloud seed. YAML is written as JSON, which is YAML too: nothing that somebody typed can
 * become syntax.
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
    // Overrides for the image's own user: cloud-init knows its name.
    return Object.keys(login).length === 0 ? common : { ...common, user: login };
  }
  const made = {
    name: user,
    shell: '/bin/bash',
    sudo: 'ALL=(ALL) NOPASSWD:ALL',
    lock_passwd: true,
    ...login,
  };
  return { ...common, users: [made] };
}

/**
 * JSON with everything beyond ASCII escaped: YAML takes some characters for line ends that JSON does not, and
 * older parsers refuse others.
 */
function toYaml(value: object): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The user's own text stays as it is beside ours: cloud-init reads both parts. RFC 2046. */
function multipart(parts: readonly string[]): string {
  const boundary = `wcc-${createHash('sha256').update(parts.join('\0')).digest('hex')}`;
  const encoded = parts.map((part) => {
    const lines = Buffer.from(part).toString('base64').replaceAll(/.{76}/g, '$&\n');
    // As plain text, cloud-init goes by its first line: `#cloud-config`, `#!`, …
    const head = `Content-Type: text/plain; charset="utf-8"\nMIME-Version: 1.0\nContent-Transfer-Encoding: base64`;
    return `--${boundary}\n${head}\n\n${lines}\n`;
  });
  const head = `Content-Type: multipart/mixed; boundary="${boundary}"\nMIME-Version: 1.0`;
  return `${head}\n\n${encoded.join('')}--${boundary}--\n`;
}
