import { ApiError } from '@wcc/api';
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
import { requestVerification } from './verify/request.ts';

/**
 * Every action on images: made known to the engine of operations, and how each is begun. A retry takes the way of
 * a first request, with the rights of whoever retries: `request…` asks for them, and knows of no other way in.
 */
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
  const action = createCopyAction(context, (input, request) => {
    const { targetName: name, poolId: pool, method, bytesPerSecond, verify, sourceId } = input;
    const body = { name, pool, method, bytesPerSecond, verify };
    return requestCopy(context, action, { ...request, sourceId, body });
  });
  context.operations.register(action);
  return {
    copy: (principal, { id: sourceId, ...order }) =>
      requestCopy(context, action, { ...order, principal, sourceId, retryOf: null }),
  };
}

function createSamples(context: ImagesContext): Pick<Makers, 'makeSample'> {
  const action = createSampleAction(context, (input, request) => {
    const { targetName: name, poolId, sizeBytes } = input;
    return requestSample(context, action, { ...request, poolId, body: { name, sizeBytes } });
  });
  context.operations.register(action);
  return {
    async makeSample(principal, order) {
      const [pool] = context.pools.all();
      if (pool === undefined) throw new ApiError('not_found');
      return requestSample(context, action, { ...order, principal, poolId: pool.id, retryOf: null });
    },
  };
}

function createConversions(context: ImagesContext): Pick<Makers, 'convert'> {
  const action = createConvertAction(context, (input, request) => {
    const { targetName: name, poolId: pool, format, compress, sourceId } = input;
    const body = { name, pool, format, compress };
    return requestConversion(context, action, { ...request, sourceId, body });
  });
  context.operations.register(action);
  return {
    convert: (principal, { id: sourceId, ...order }) =>
      requestConversion(context, action, { ...order, principal, sourceId, retryOf: null }),
  };
}

function createVerifications(context: ImagesContext): Pick<Makers, 'verify'> {
  const action = createVerifyAction(context, ({ sourceId, sha256 }, request) => {
    const body = sha256 === null ? {} : { sha256 };
    return requestVerification(context, action, { ...request, sourceId, body });
  });
  context.operations.register(action);
  return {
    verify: (principal, { id: sourceId, ...order }) =>
      requestVerification(context, action, { ...order, principal, sourceId, retryOf: null }),
  };
}

function createDeletions(context: ImagesContext): Pick<Makers, 'remove'> {
  const action = createDeleteAction(context, ({ sourceId: imageId }, request) =>
    requestDeletion(context, action, { ...request, imageId }),
  );
  context.operations.register(action);
  return {
    remove: (principal, { id: imageId, idempotencyKey }) =>
      requestDeletion(context, action, { principal, imageId, idempotencyKey, retryOf: null }),
  };
}

function createImports(context: ImagesContext, isAllowed: IsAllowed): Pick<Makers, 'importUrl'> {
  const imports = createImportContext(isAllowed);
  const action = createImportAction(context, imports, async (input, request) => {
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
    importUrl: (principal, order) =>
      requestImport(context, action, { ...order, principal, retryOf: null, imports }),
  };
}
