import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Accepted, Image } from '@wcc/api';
import { assertSameDisk, checkQcow2, MiB } from '../images.ts';
import { fileHandler } from '../network/file-server.ts';
import type { FileServer } from '../network/file-server.ts';
import { findImage, registerImage, waitForState } from '../operations.ts';
import type { TestServer } from '../server.ts';
import { createTusClient, uploadId } from '../tus.ts';

export const workKinds = ['copy', 'clone', 'upload', 'import', 'delete', 'convert', 'create'] as const;
export type WorkKind = (typeof workKinds)[number];

/** One kind of operation, as the proof starts, continues and judges it. Every method gets the name of its result. */
export interface Work {
  /** Makes what the operation needs. */
  prepare(name: string): Promise<void>;
  /** @returns the id of the accepted operation @throws ApiProblem if the server refuses it */
  start(name: string): Promise<string>;
  /** One try of the client, for an operation that a client drives. */
  drive(id: string): Promise<void>;
  /** What is wrong with the disk after a success; null: nothing. */
  faultAfterSuccess(name: string): Promise<string | null>;
  /** What is wrong with the disk when the operation did not succeed; null: nothing. */
  faultWithoutSuccess(name: string): Promise<string | null>;
  /** Removes the result. */
  remove(name: string): Promise<void>;
}

export interface WorkContext {
  server: TestServer;
  files: FileServer;
  /** The image that is copied, with its bytes. */
  source: Image;
  bytes: Buffer;
}

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

export function createWorks(context: WorkContext): Record<WorkKind, Work> {
  const { server, source, bytes, files } = context;
  const making = makingWork(context);
  const copying = (method: 'copy' | 'auto'): Work => ({
    ...making,
    start: async (name) => idOf(await server.api.copyImage(source.id, { name, method })),
  });
  return {
    copy: copying('copy'),
    clone: copying('auto'),
    upload: uploadWork(context, making),
    import: {
      ...making,
      start: async (name) => {
        const url = files.serve(`/${name}`, fileHandler(bytes, { etag: '"it"' }));
        return idOf(await server.api.importImage({ url, name, sha256: digestOf(bytes) }));
      },
    },
    delete: deleteWork(context),
    convert: {
      ...making,
      start: async (name) =>
        idOf(await server.api.convertImage(source.id, { name, format: 'qcow2', compress: false })),
      faultAfterSuccess: async (name) => {
        const path = join(server.poolDir, name);
        await checkQcow2(path);
        await assertSameDisk(path, join(server.poolDir, source.name));
        return await faultOfRow(server, name);
      },
    },
    create: createWork(context, making),
  };
}

const idOf = ({ operation }: Accepted): string => operation.id;

async function faultOfRow(server: TestServer, name: string): Promise<string | null> {
  const image = await findImage(server, name);
  return image?.state === 'ready' ? null : `the image is ${image?.state ?? 'not registered'}`;
}

/** An operation whose result is a file with the bytes of the source. */
function makingWork({ server, bytes }: WorkContext): Omit<Work, 'start'> {
  const path = (name: string): string => join(server.poolDir, name);
  return {
    prepare: () => Promise.resolve(),
    drive: () => Promise.resolve(),
    async faultAfterSuccess(name) {
      if (!existsSync(path(name))) return 'the file is not there';
      return readFileSync(path(name)).equals(bytes) ? await faultOfRow(server, name) : 'wrong bytes';
    },
    async faultWithoutSuccess(name) {
      if (existsSync(path(name))) return 'the file is there';
      return (await findImage(server, name)) === undefined ? null : 'an image without a file';
    },
    async remove(name) {
      const image = await findImage(server, name);
      if (image === undefined) return;
      await waitForState(server, idOf(await server.api.deleteImage(image.id)), { states: ['succeeded'] });
    },
  };
}

function uploadWork({ server, bytes }: WorkContext, making: Omit<Work, 'start'>): Work {
  const client = createTusClient(server.baseUrl, { authorization: `Bearer ${server.token}` });
  return {
    ...making,
    async start(name) {
      const length = { 'upload-length': String(bytes.length) };
      const metadata = `filename ${Buffer.from(name).toString('base64')}`;
      const answer = await client.request('POST', '/api/uploads', {
        headers: { ...length, 'upload-metadata': metadata },
      });
      if (answer.status !== 201) throw new RefusedUpload(answer.status, answer.code ?? answer.text);
      return uploadId(String(answer.headers.location));
    },
    async drive(id) {
      const path = `/api/uploads/${id}`;
      const { status, offset } = await client.head(path);
      if (status !== 200 || offset === null) return;
      for (let at = offset; at < bytes.length;) {
        const part = bytes.subarray(at, at + 3 * MiB);
        const answer = await client.patch(path, at, part).catch(() => null);
        if (answer?.status !== 204) return;
        at += part.length;
      }
    },
  };
}

export class RefusedUpload extends Error {
  constructor(status: number, code: string) {
    super(`the upload was refused: ${status} ${code}`);
  }
}

/** Its result is that a file is gone. */
function deleteWork({ server }: WorkContext): Work {
  const path = (name: string): string => join(server.poolDir, name);
  const contentOf = (name: string): Buffer => Buffer.alloc(3 * MiB, name);
  const ids = new Map<string, number>();
  return {
    async prepare(name) {
      await writeFile(path(name), contentOf(name));
      ids.set(name, (await registerImage(server, name)).id);
    },
    start: async (name) => idOf(await server.api.deleteImage(ids.get(name) ?? 0)),
    drive: () => Promise.resolve(),
    async faultAfterSuccess(name) {
      if (existsSync(path(name))) return 'the file is still there';
      return (await findImage(server, name)) === undefined ? null : 'the image is still listed';
    },
    async faultWithoutSuccess(name) {
      if (!existsSync(path(name))) return 'the file is gone';
      return readFileSync(path(name)).equals(contentOf(name))
        ? await faultOfRow(server, name)
        : 'wrong bytes';
    },
    remove: async (name) => {
      await rm(path(name), { force: true });
      const [pool] = (await server.api.pools()).items;
      await server.api.rescan(pool?.id ?? '');
    },
  };
}

/** Files of machines in the data directory. The proof has one machine at a time. */
function filesOfMachines(dataDir: string): string[] {
  return ['seeds', 'machines/qemu/machines'].flatMap((directory) => {
    const path = join(dataDir, directory);
    return existsSync(path) ? readdirSync(path).map((name) => join(directory, name)) : [];
  });
}

/** A machine with first-boot data, whose disk is a full copy. */
function createWork({ server, source }: WorkContext, making: Omit<Work, 'start'>): Work {
  const disk = (name: string): string => `${name}-disk0.raw`;
  const machineOf = async (name: string): Promise<number | null> =>
    (await server.api.vms()).items.find((machine) => machine.name === name)?.id ?? null;
  return {
    ...making,
    async start(name) {
      const size = { cpus: 1, memoryBytes: 32 * MiB, start: false };
      // The first-boot data becomes a seed in the data directory.
      const firstBoot = { user: 'me' };
      const disks = [{ kind: 'copy' as const, image: source.id, method: 'copy' as const }];
      return idOf(await server.api.createVm({ name, ...size, firstBoot, disks }));
    },
    faultAfterSuccess: async (name) =>
      (await machineOf(name)) === null
        ? 'the machine is missing'
        : await making.faultAfterSuccess(disk(name)),
    async faultWithoutSuccess(name) {
      if ((await machineOf(name)) !== null) return 'a machine is left';
      const left = filesOfMachines(server.dataDir);
      return left.length === 0
        ? await making.faultWithoutSuccess(disk(name))
        : `${left.join(', ')} in the data directory`;
    },
    async remove(name) {
      const id = await machineOf(name);
      if (id === null) return;
      await waitForState(server, idOf(await server.api.deleteVm(id, { disks: true })), {
        states: ['succeeded'],
      });
    },
  };
}
