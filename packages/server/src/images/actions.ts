import { ApiError } from '@wcc/api';
import type {
  ConvertImageInput,
  CopyImageInput,
  ImageId,
  ImportFacts,
  ImportFactsInput,
  ImportImageInput,
  SampleImageInput,
  VerifyImageInput,
} from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import type { Principal } from '../access/principal.ts';
import type { OperationRequest } from '../operations/action.ts';
import type { ImageRequest, ImagesContext } from './context.ts';
import { createConvertAction } from './convert/action.ts';
import { requestConversion } from './convert/request.ts';
import { createCopyAction } from './copy/action.ts';
import { requestCopy } from './copy/request.ts';
import { createDeleteAction } from './delete/action.ts';
import { requestDeletion } from './delete/request.ts';
import { createImportAction } from './import/action.ts';
import type { IsAllowed } from './import/address-rules.ts';
import { createImportContext } from './import/context.ts';
import { readImportFacts } from './import/facts.ts';
import { requestImport } from './import/request.ts';
import { createSampleAction } from './sample/action.ts';
import { requestSample } from './sample/request.ts';
import { createVerifyAction } from './verify/action.ts';
import { requestVerification } from './verify/request.ts';

/** A request with its `Idempotency-Key`, if it has one. */
type WithKey<Request> = Request & { idempotencyKey: string | null };

type RequestOf<Request> = (principal: Principal, request: WithKey<Request>) => Promise<Snapshot>;

/** The actions on images. Each call checks the rights of the principal, as a retry of its operation does. */
export interface ImageActions {
  copy: RequestOf<ImageRequest<CopyImageInput>>;
  convert: RequestOf<ImageRequest<ConvertImageInput>>;
  verify: RequestOf<ImageRequest<VerifyImageInput>>;
  /** Deletes; `usedBy` says what prevents it. */
  remove: RequestOf<{ id: ImageId }>;
  /** What another server says of a file, before it is imported. */
  importFacts(
    principal: Principal,
    request: { body: ImportFactsInput; signal: AbortSignal },
  ): Promise<ImportFacts>;
  importUrl: RequestOf<{ body: ImportImageInput }>;
  makeSample: RequestOf<{ body: SampleImageInput }>;
}

/** Registers every action on images with the engine of operations. @returns how to request each of them */
export function createImageActions(
  context: ImagesContext,
  { mayImportFrom }: { mayImportFrom: IsAllowed },
): ImageActions {
  const { operations } = context;
  const imports = createImportContext(mayImportFrom);
  operations.register(createCopyAction(context));
  operations.register(createConvertAction(context));
  operations.register(createVerifyAction(context));
  operations.register(createDeleteAction(context));
  operations.register(createImportAction(context, imports));
  operations.register(createSampleAction(context));
  return {
    copy: async (principal, request) => requestCopy(context, first(principal, request)),
    convert: async (principal, request) => requestConversion(context, first(principal, request)),
    verify: async (principal, request) => requestVerification(context, first(principal, request)),
    remove: async (principal, request) => requestDeletion(context, first(principal, request)),
    importFacts: async (principal, request) => readImportFacts(context, imports, { principal, ...request }),
    importUrl: async (principal, request) =>
      requestImport(context, { ...first(principal, request), imports }),
    async makeSample(principal, { body, idempotencyKey }) {
      const [pool] = context.pools.all();
      if (pool === undefined) throw new ApiError('not_found');
      return requestSample(context, first(principal, { poolId: pool.id, body, idempotencyKey }));
    },
  };
}

function first<Request extends { idempotencyKey: string | null }>(
  principal: Principal,
  { idempotencyKey, ...request }: Request,
): OperationRequest<Omit<Request, 'idempotencyKey'>> {
  return { principal, request, idempotencyKey, retryOf: null };
}
