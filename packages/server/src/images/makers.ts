import { ApiError } from '@wcc/api';
import type { Principal } from '../access/principal.ts';
import { can, type Right } from '../access/rules.ts';
import type { ImagesContext } from './context.ts';
import { createConvertAction } from './convert/action.ts';
import { requestConversion } from './convert/request.ts';
import { createCopyAction } from './copy/action.ts';
import { requestCopy } from './copy/request.ts';
import { createDeleteAction } from './delete/action.ts';
import { requestDeletion } from './delete/request.ts';
import type { Images } from './images.ts';
import { createImportAction } from './import/action.ts';
import { createImportContext } from './import/context.ts';
import type { IsAllowed } from './import/address-rules.ts';
import { requestImport } from './import/request.ts';
import { createSampleAction } from './sample/action.ts';
import { requestSample } from './sample/request.ts';
import { createVerifyAction } from './verify/action.ts';
import { demandSeen } from './users.ts';
import { requestVerification } from './verify/request.ts';

/** Every action on images: made known to the engine of operations, and how each is begun. */
export type Makers = Pick<Images, 'copy' | 'makeSample' | 'convert' | 'verify' | 'remove' | 'importUrl'>;

export function createMakers(context: ImagesContext, options: { mayImportFrom: IsAllowed }): Makers {
  return {
    ...createCopies(context),
    ...createSamples(context),
    ...createConversions(context),
    ...createVerifications(context),
    ...createDeletions(context),
    ...createImports(context, options.mayImportFrom),
  };
}

function createCopies(context: ImagesContext): Pick<Makers, 'copy'> {
  const action = createCopyAction(context, async (input, request) => {
    demand(request.principal, 'image.copy');
    const { targetName: name, poolId: pool, method, bytesPerSecond, verify, sourceId } = input;
    const body = { name, pool, method, bytesPerSecond, verify };
    return requestCopy(context, action, { ...request, sourceId, body });
  });
  context.operations.register(action);
  return {
    async copy(principal, { id, body, idempotencyKey }) {
      demand(principal, 'image.copy');
      await demandSeen(context, principal, id);
      return requestCopy(context, action, { principal, sourceId: id, body, idempotencyKey, retryOf: null });
    },
  };
}

function createSamples(context: ImagesContext): Pick<Makers, 'makeSample'> {
  const action = createSampleAction(context, async (input, request) => {
    demand(request.principal, 'image.make');
    const { targetName: name, poolId, sizeBytes } = input;
    return requestSample(context, action, { ...request, poolId, body: { name, sizeBytes } });
  });
  context.operations.register(action);
  return {
    async makeSample(principal, { body, idempotencyKey }) {
      demand(principal, 'image.make');
      const [pool] = context.pools.all();
      if (pool === undefined) throw new ApiError('not_found');
      const order = { principal, poolId: pool.id, body, idempotencyKey, retryOf: null };
      return requestSample(context, action, order);
    },
  };
}

function createConversions(context: ImagesContext): Pick<Makers, 'convert'> {
  const action = createConvertAction(context, async (input, request) => {
    demand(request.principal, 'image.convert');
    const { targetName: name, poolId: pool, format, compress, sourceId } = input;
    const body = { name, pool, format, compress };
    return requestConversion(context, action, { ...request, sourceId, body });
  });
  context.operations.register(action);
  return {
    async convert(principal, { id, body, idempotencyKey }) {
      demand(principal, 'image.convert');
      await demandSeen(context, principal, id);
      const order = { principal, sourceId: id, body, idempotencyKey, retryOf: null };
      return requestConversion(context, action, order);
    },
  };
}

function createVerifications(context: ImagesContext): Pick<Makers, 'verify'> {
  const action = createVerifyAction(context, async ({ sourceId, sha256 }, request) => {
    demand(request.principal, 'image.verify');
    const body = sha256 === null ? {} : { sha256 };
    return requestVerification(context, action, { ...request, sourceId, body });
  });
  context.operations.register(action);
  return {
    async verify(principal, { id, body, idempotencyKey }) {
      demand(principal, 'image.verify');
      await demandSeen(context, principal, id);
      const order = { principal, sourceId: id, body, idempotencyKey, retryOf: null };
      return requestVerification(context, action, order);
    },
  };
}

/** Whose image it is decides: that is asked where the image is read. */
function createDeletions(context: ImagesContext): Pick<Makers, 'remove'> {
  const action = createDeleteAction(context, ({ sourceId: imageId }, request) =>
    requestDeletion(context, action, { ...request, imageId }),
  );
  context.operations.register(action);
  return {
    async remove(principal, { id: imageId, idempotencyKey }) {
      await demandSeen(context, principal, imageId);
      return requestDeletion(context, action, { principal, imageId, idempotencyKey, retryOf: null });
    },
  };
}

function createImports(context: ImagesContext, isAllowed: IsAllowed): Pick<Makers, 'importUrl'> {
  const imports = createImportContext(isAllowed);
  const action = createImportAction(context, imports, async (input, request) => {
    demand(request.principal, 'image.import');
    const { url, targetName: name, poolId: pool, sha256, format, hasQuery } = input;
    if (hasQuery) {
      throw new ApiError('import_failed', {
        message: 'The query of the address was not kept: it may hold a secret.',
        hint: 'Start the import again with the whole address.',
      });
    }
    const body = { url, name, pool, sha256: sha256 ?? undefined, format: format ?? undefined };
    return requestImport(context, action, { ...request, body, imports });
  });
  context.operations.register(action);
  return {
    async importUrl(principal, { body, idempotencyKey }) {
      demand(principal, 'image.import');
      return requestImport(context, action, { principal, body, idempotencyKey, retryOf: null, imports });
    },
  };
}

export function demand(principal: Principal, right: Right): void {
  if (!can(principal, right)) throw new ApiError('forbidden');
}
