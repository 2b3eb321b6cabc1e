import { randomInt } from 'node:crypto';

const idLetters = 'abcdefghijklmnopqrstuvwxyz234567';
const totalBytes = 64 * 1024 ** 3;

/** One copy of an image, as a server reports it to the hub. The snapshot has about 900 bytes. */
export function createPayload() {
  const id = `${Array.from({ length: 25 }, () => idLetters[randomInt(32)]).join('')}a`;
  const createdAt = new Date().toISOString();
  const startedMs = performance.now();
  const record = (done, state = 'running') => {
    const elapsedMs = Math.round(performance.now() - startedMs);
    const transfer = { unit: 'bytes', done, durable: 0, total: totalBytes, state: 'running', elapsedMs };
    return {
      id,
      label: 'copy_vm_image_100',
      action: 'copy_vm_image',
      title: null,
      subject: { kind: 'image', id: 100, name: 'debian-13-genericcloud-amd64.raw' },
      target: { kind: 'image', id: 101, name: 'web-07-disk.raw' },
      owner: 'u-1001',
      ownerName: 'operator',
      host: null,
      state,
      queuePosition: null,
      stateReason: null,
      phases: [
        { name: 'transfer', ...transfer },
        { name: 'flush', state: 'pending' },
        { name: 'publish', state: 'pending' },
      ],
      phaseIndex: 0,
      bytes: { virtual: totalBytes, data: totalBytes, skipped: 0, shared: 0, written: done },
      method: 'kernel-copy',
      elapsedMs,
      createdAt,
      startedAt: createdAt,
      endedAt: state === 'running' ? null : new Date().toISOString(),
      warnings: [],
      error: null,
      result: null,
      retryOf: null,
      partOf: null,
    };
  };
  return { id, record };
}

/** Adds the fields of wcc's hub for subjects without a hub, so that all subjects send the same bytes. */
export function completeSnapshot(record, seq) {
  const { id, label, action, ...rest } = record;
  return {
    id,
    epoch: 'mfrggzdfmztwq2lknnwg23tpoa',
    seq,
    at: new Date().toISOString(),
    label,
    action,
    ...rest,
    rate: 104_857_600,
    etaMs: 612_000,
    etaAbsence: null,
    sinceProgressMs: 0,
    stalled: false,
  };
}
