import type { FirstBoot } from '@wcc/api';
import type { VolumeFile } from './iso9660.ts';
import { newMachineId } from './machine-id.ts';
import { combine } from './user-data.ts';

/** The data of a NoCloud seed. */
export interface SeedContents {
  /** Unique per machine: cloud-init treats a new id as a new machine. */
  instanceId: string;
  hostname: string;
  firstBoot: FirstBoot;
  /** The disks are copies of a machine that has its users: only its identity is new. @default false */
  isCopy?: boolean;
}

/**
 * The files of a NoCloud seed. Writes YAML as JSON, which is valid YAML, so that input cannot become syntax. The host
 * name is in the meta-data only, so that a `hostname` of the user-data applies.
 */
export function seedFiles({ instanceId, hostname, firstBoot, isCopy = false }: SeedContents): VolumeFile[] {
  const metaData = { 'instance-id': instanceId, 'local-hostname': hostname };
  const config = isCopy ? copyConfig : cloudConfig(firstBoot);
  const ours = `#cloud-config\n${toYaml(config)}\n`;
  return [
    { name: 'meta-data', content: Buffer.from(`${toYaml(metaData)}\n`) },
    { name: 'user-data', content: Buffer.from(combine(ours, firstBoot.userData ?? '')) },
  ];
}

/**
 * cloud-init applies its modules again, because the instance id is new. Users and package sources stay as they are on
 * the disk: without `users: []` cloud-init would lock the password of the image's user.
 */
const copyConfig = {
  users: [],
  ssh_deletekeys: true,
  apt: { preserve_sources_list: true },
  bootcmd: [newMachineId],
};

function cloudConfig({ user, sshKeys, passwordHash }: FirstBoot): object {
  const keys = sshKeys.length === 0 ? {} : { ssh_authorized_keys: sshKeys };
  const password = passwordHash === undefined ? {} : { hashed_passwd: passwordHash, lock_passwd: false };
  const login = { ...keys, ...password };
  const common = { ssh_pwauth: false, bootcmd: [newMachineId] };
  if (user === undefined) {
    // `user` makes sure that the image's default user exists. The other keys are for a default user that the
    // user-data names.
    return Object.keys(login).length === 0 ? common : { ...common, ...keys, user: login };
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
