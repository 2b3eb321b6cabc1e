import { ApiError } from '@wcc/api';
import type { ConvertImageInput } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { createOperationId } from '@wcc/progress';
import { assertRight } from '../../access/rules.ts';
import type { OperationRequest } from '../../operations/action.ts';
import { routeOf } from '../../operations/idempotency.ts';
import type { ImagesContext } from '../context.ts';
import { inspectQcow2, openSafely } from '../foreign/inspect.ts';
import { readSource } from '../source.ts';
import type { Source } from '../source.ts';
import { acceptWithSpace } from '../publish/accept-with-space.ts';
import { assertTool } from '../tools/find-tool.ts';
import { convertAction } from './input.ts';
import type { ConvertInput } from './input.ts';

/** @throws ApiError `forbidden`, `not_found`, `unsupported_format`, `hostile_image`, `tool_missing`, `exists`, `no_space`, … */
export async function requestConversion(
  context: ImagesContext,
  { principal, request, idempotencyKey, retryOf }: OperationRequest<ConvertInput['request']>,
): Promise<Snapshot> {
  const { id: sourceId, body } = request;
  assertRight(principal, 'image.convert');
  const route = routeOf(`POST /api/images/${sourceId}/convert`, retryOf);
  const key = { userId: principal.userId, route, key: idempotencyKey, body };
  return context.operations.idempotency.once(key, async (remember) => {
    const source = await readSource(context, { id: sourceId, principal });
    const sourceFormat = assertUsefulFormat(source, body);
    assertTool('qemu-img');
    const target = body.pool === undefined ? source.pool : await context.pools.use(body.pool);
    const { virtualSizeBytes, dataBytes } = await measure(source);
    const id = createOperationId();
    const number = context.numbers.take();
    const { image, pool } = source;
    const input: ConvertInput = {
      poolId: target.id,
      sourceId,
      sourcePoolId: pool.id,
      sourceName: image.name,
      sourceInode: image.inode,
      sourceFormat,
      virtualSizeBytes,
      dataBytes,
      targetId: number.id,
      targetName: body.name,
      format: body.format,
      compress: body.compress,
      ownerId: principal.userId,
      request: { id: sourceId, body: { ...body, pool: target.id } },
    };
    return acceptWithSpace(context, {
      id,
      action: convertAction,
      principal,
      pool: target,
      targetName: body.name,
      needsBytes: dataBytes + tableBytes(virtualSizeBytes, body.format),
      subject: { kind: 'image', id: image.id, name: image.name },
      target: { kind: 'image', id: null, name: body.name },
      input,
      retryOf,
      statements: [number.statement, ...remember(id)],
    });
  });
}

/** @returns the format of the source. @throws ApiError `unsupported_format`, `invalid_input` */
function assertUsefulFormat({ format }: Source, body: ConvertImageInput): 'raw' | 'qcow2' {
  if (format === 'iso')
    throw new ApiError('unsupported_format', {
      message: 'An ISO is not a disk and cannot be converted.',
      hint: 'Copy it instead.',
    });
  if (body.compress && body.format === 'raw')
    throw new ApiError('invalid_input', { field: 'compress', message: 'A raw image cannot be compressed.' });
  if (format === body.format && !body.compress)
    throw new ApiError('invalid_input', {
      field: 'format',
      message: `The image is already ${format}.`,
      hint: 'Copy it instead, or convert it to compressed qcow2.',
    });
  return format;
}

const sectorBytes = 512;

/** The virtual size of the source, and its bytes of data without holes. */
async function measure({
  format,
  path,
  facts,
}: Source): Promise<{ virtualSizeBytes: number; dataBytes: number }> {
  // A disk has whole sectors.
  const sectors = Math.ceil(facts.sizeBytes / sectorBytes);
  if (format === 'raw') return { virtualSizeBytes: sectors * sectorBytes, dataBytes: facts.dataBytes };
  const file = await openSafely(path);
  try {
    const { virtualSizeBytes, allocatedBytes } = await inspectQcow2(file, {});
    return { virtualSizeBytes, dataBytes: allocatedBytes };
  } finally {
    await file.close();
  }
}

/** The tables of a qcow2 image: eight bytes for each cluster of 64 KiB, reference counts, and the first clusters. */
function tableBytes(virtualSizeBytes: number, format: 'raw' | 'qcow2'): number {
  return format === 'raw' ? 0 : Math.ceil(virtualSizeBytes / 4096) + 1024 ** 2;
}
