import type { CdBus, CreateVmRequest, Firmware, Host, Image, Pool, VmDiskRequest, VmNetwork } from '@wcc/api';
import { isHostName, judgeUserData } from '@wcc/api';
import { isLoginName, isSshKey, linesOf } from '../../app/credentials.ts';
import { checkVmName, parseCpus, parseDiskSize, parseMemory } from '../machine-form.ts';

export const createSteps = ['basics', 'cpu', 'disks', 'network', 'firstBoot', 'review'] as const;
export type CreateStep = (typeof createSteps)[number];

/** One disk of the machine, its size as typed in GiB. */
export interface DiskForm {
  kind: 'blank' | 'copy';
  /** Id of the image to copy. */
  image: number | null;
  /** In GiB, as typed. For a copy, an empty text means the size of the image. */
  size: string;
  format: 'raw' | 'qcow2';
}

export interface CreateForm {
  name: string;
  firmware: Firmware;
  cdBus: CdBus;
  /** Id of a pool; empty for the default pool. */
  pool: string;
  cpus: string;
  /** In GiB. */
  memory: string;
  disks: readonly DiskForm[];
  cdrom: number | null;
  network: VmNetwork['kind'];
  networkName: string;
  user: string;
  /** One per line. */
  sshKeys: string;
  hostname: string;
  passwordHash: string;
  userData: string;
  start: boolean;
}

export interface CreateResources {
  images: readonly Image[];
  pools: readonly Pool[];
  host: Host | null;
  /** Names of existing machines. */
  taken: readonly string[];
}

export const maxDisks = 8;

export function emptyCreateForm(): CreateForm {
  return {
    name: '',
    firmware: 'bios',
    cdBus: 'scsi',
    pool: '',
    cpus: '2',
    memory: '2',
    disks: [{ kind: 'blank', image: null, size: '20', format: 'qcow2' }],
    cdrom: null,
    network: 'user',
    networkName: '',
    user: '',
    sshKeys: '',
    hostname: '',
    passwordHash: '',
    userData: '',
    start: true,
  };
}

type FirstBootField = 'user' | 'sshKeys' | 'hostname' | 'passwordHash' | 'userData';

/** Problems of the form, each with the step of its field. */
export type CreateProblem =
  | { step: 'basics'; field: 'name'; why: 'empty' | 'malformed' | 'taken' }
  | { step: 'cpu'; field: 'cpus' | 'memory'; why: 'number' | 'too_many' | 'too_much' }
  | { step: 'disks'; field: 'disk'; index: number; why: 'no_image' | 'size' | 'too_small' }
  | { step: 'network'; field: 'networkName'; why: 'no_network' }
  | { step: 'firstBoot'; field: FirstBootField; why: 'malformed' };

export function findCreateProblems(form: CreateForm, resources: CreateResources): CreateProblem[] {
  return [
    ...nameProblems(form, resources),
    ...cpuProblems(form, resources),
    ...form.disks.flatMap((disk, index) => diskProblems(disk, index, resources)),
    ...networkProblems(form),
    ...firstBootProblems(form),
  ];
}

function nameProblems({ name }: CreateForm, { taken }: CreateResources): CreateProblem[] {
  const why = checkVmName(name, taken);
  return why === null ? [] : [{ step: 'basics', field: 'name', why }];
}

function cpuProblems(form: CreateForm, { host }: CreateResources): CreateProblem[] {
  const problems: CreateProblem[] = [];
  const cpus = parseCpus(form.cpus);
  if (cpus === undefined) problems.push({ step: 'cpu', field: 'cpus', why: 'number' });
  const memory = parseMemory(form.memory);
  if (memory === undefined) problems.push({ step: 'cpu', field: 'memory', why: 'number' });
  else if (host !== null && memory > host.memoryBytes)
    problems.push({ step: 'cpu', field: 'memory', why: 'too_much' });
  return problems;
}

function diskProblems(disk: DiskForm, index: number, { images }: CreateResources): CreateProblem[] {
  const problem = (why: 'no_image' | 'size' | 'too_small'): CreateProblem[] => [
    { step: 'disks', field: 'disk', index, why },
  ];
  if (disk.kind === 'blank') return parseDiskSize(disk.size) === undefined ? problem('size') : [];
  const image = images.find(({ id }) => id === disk.image);
  if (image === undefined) return problem('no_image');
  if (disk.size.trim() === '') return [];
  const sizeBytes = parseDiskSize(disk.size);
  if (sizeBytes === undefined) return problem('size');
  return sizeBytes < image.virtualSizeBytes ? problem('too_small') : [];
}

function networkProblems({ network, networkName }: CreateForm): CreateProblem[] {
  const isNamed = network === 'bridge' || network === 'network';
  return isNamed && networkName === '' ? [{ step: 'network', field: 'networkName', why: 'no_network' }] : [];
}

function firstBootProblems(form: CreateForm): CreateProblem[] {
  const problem = (field: FirstBootField): CreateProblem => ({
    step: 'firstBoot',
    field,
    why: 'malformed',
  });
  return [
    ...(form.user === '' || isLoginName(form.user) ? [] : [problem('user')]),
    ...(linesOf(form.sshKeys).every(isSshKey) ? [] : [problem('sshKeys')]),
    ...(form.hostname === '' || isHostName(form.hostname) ? [] : [problem('hostname')]),
    ...(form.passwordHash === '' || /^\$[./$0-9A-Za-z=,+-]+$/.test(form.passwordHash)
      ? []
      : [problem('passwordHash')]),
    ...(['unknown', 'ignition'].includes(judgeUserData(form.userData)) ? [problem('userData')] : []),
  ];
}

/** Call only for a valid form. */
export function toCreateRequest(form: CreateForm): CreateVmRequest {
  const isNamed = form.network === 'bridge' || form.network === 'network';
  const firstBoot = firstBootOf(form);
  return {
    name: form.name,
    cpus: parseCpus(form.cpus) ?? 1,
    memoryBytes: parseMemory(form.memory) ?? 0,
    disks: [
      ...form.disks.map(diskOf),
      ...(form.cdrom === null ? [] : [{ kind: 'cdrom' as const, image: form.cdrom }]),
    ],
    network: { kind: form.network, name: isNamed ? form.networkName : null },
    firmware: form.firmware,
    cdBus: form.cdBus,
    ...(firstBoot === undefined ? {} : { firstBoot }),
    ...(form.pool === '' ? {} : { pool: form.pool }),
    start: form.start,
  };
}

function diskOf({ kind, image, size, format }: DiskForm): VmDiskRequest {
  if (kind === 'blank') return { kind, sizeBytes: parseDiskSize(size) ?? 0, format };
  const sizeBytes = parseDiskSize(size);
  return { kind, image: image ?? 0, ...(sizeBytes === undefined ? {} : { sizeBytes }) };
}

function firstBootOf(form: CreateForm): CreateVmRequest['firstBoot'] {
  const sshKeys = linesOf(form.sshKeys);
  const firstBoot = {
    ...(form.user === '' ? {} : { user: form.user }),
    ...(sshKeys.length === 0 ? {} : { sshKeys }),
    ...(form.passwordHash === '' ? {} : { passwordHash: form.passwordHash }),
    ...(form.hostname === '' ? {} : { hostname: form.hostname }),
    ...(form.userData.trim() === '' ? {} : { userData: form.userData }),
  };
  return Object.keys(firstBoot).length === 0 ? undefined : firstBoot;
}

export interface CreateNeeds {
  /** Space that the disks need immediately. */
  diskBytes: number;
  /** Space that the disks can grow to. */
  maxDiskBytes: number;
  freeDiskBytes: number | null;
  memoryBytes: number;
  freeMemoryBytes: number | null;
}

/** Required and free disk space and memory, as estimated before the start. */
export function needsOf(form: CreateForm, resources: CreateResources): CreateNeeds {
  const pool = resources.pools.find(({ id }) => id === form.pool) ?? resources.pools[0];
  let diskBytes = 0;
  let maxDiskBytes = 0;
  for (const disk of form.disks) {
    const image = disk.kind === 'copy' ? resources.images.find(({ id }) => id === disk.image) : undefined;
    maxDiskBytes += parseDiskSize(disk.size) ?? image?.virtualSizeBytes ?? 0;
    const isShared = pool?.clonePossible === true && image?.pool === pool.id;
    if (image !== undefined && !isShared) diskBytes += image.dataBytes;
  }
  return {
    diskBytes,
    maxDiskBytes,
    freeDiskBytes: pool?.freeBytes ?? null,
    memoryBytes: parseMemory(form.memory) ?? 0,
    freeMemoryBytes: resources.host?.freeMemoryBytes ?? null,
  };
}
