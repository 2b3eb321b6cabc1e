import { ApiError } from '@wcc/api';
import type { ImportFacts, ImportFactsInput } from '@wcc/api';
import { headBytes, judgeStart } from '@wcc/api/content';
import { audit } from '../../access/audit.ts';
import type { Principal } from '../../access/principal.ts';
import { assertRight } from '../../access/rules.ts';
import type { ImagesContext } from '../context.ts';
import { refusalError } from '../foreign/judge-file.ts';
import { assertPublicAddress, parseSource } from './address-rules.ts';
import { assertUsableAnswer } from './answers.ts';
import type { ImportContext } from './context.ts';
import { fetchHead } from './fetch-head.ts';
import type { Head } from './fetch-head.ts';
import { proposeName } from './file-name.ts';
import { describeNetworkError } from './network-errors.ts';
import { describeRemote } from './validators.ts';

/** A person waits for the answer. */
const timeoutMs = 20_000;
/** Connections at a time for all users, and for one: a server that does not answer holds its place until the end. */
const maxQuestions = { total: 16, perUser: 4 };

/**
 * Asks the other server for the name, size and kind of a file, by its first bytes. Only the audit record keeps it.
 * @throws ApiError `import_failed`, `import_refused`, `rate_limited`, …
 */
export async function readImportFacts(
  { store, maxVirtualSizeBytes }: Pick<ImagesContext, 'store' | 'maxVirtualSizeBytes'>,
  imports: ImportContext,
  { principal, body, signal }: { principal: Principal; body: ImportFactsInput; signal: AbortSignal },
): Promise<ImportFacts> {
  assertRight(principal, 'image.import');
  const source = parseSource(body.url);
  assertPublicAddress(source, imports.isAllowed);
  const timeout = AbortSignal.timeout(timeoutMs);
  takePlace(imports.questions, timeout, principal.userId);
  try {
    // Before the first packet: the record names every server that wcc asks for a user.
    await store.write([audit(principal, 'image.import_facts', `origin:${source.origin}`)]);
    const options = { isAllowed: imports.isAllowed, from: null, signal: AbortSignal.any([signal, timeout]) };
    const asking = fetchHead(source, options).then((head) => describe(head, maxVirtualSizeBytes));
    return await asking.catch((error: unknown) => {
      signal.throwIfAborted();
      throw toFailure(error, timeout);
    });
  } finally {
    imports.questions.delete(timeout);
  }
}

function toFailure(error: unknown, timeout: AbortSignal): ApiError {
  if (error instanceof ApiError) return error;
  const reason = timeout.aborted ? 'the server did not answer in time' : describeNetworkError(error);
  return new ApiError('import_failed', { message: `The address cannot be read: ${reason}.`, cause: error });
}

/** @throws ApiError `rate_limited` */
function takePlace(questions: ImportContext['questions'], question: AbortSignal, userId: string): void {
  const own = [...questions.values()].filter((each) => each === userId).length;
  if (questions.size >= maxQuestions.total || own >= maxQuestions.perUser)
    throw new ApiError('rate_limited', { retryAfterS: 5 });
  questions.set(question, userId);
}

async function describe(
  { answer, body, addresses }: Head,
  maxVirtualSizeBytes: number,
): Promise<ImportFacts> {
  try {
    assertUsableAnswer(answer);
    const { totalBytes: sizeBytes } = describeRemote(answer.headers);
    const name = proposeName({ addresses, contentDisposition: answer.headers['content-disposition'] });
    const head = await firstBytes(body);
    const found = judgeStart(head, { sizeBytes, maxVirtualSizeBytes, name: name ?? undefined });
    const facts = { name, sizeBytes };
    if (!('refusal' in found)) {
      const { format, remarks } = found;
      const virtualSizeBytes = found.qcow2 === null ? sizeBytes : found.virtualSizeBytes;
      return { ...facts, format, virtualSizeBytes, remarks, refusal: null };
    }
    const { code, message, hint } = refusalError(found.refusal);
    const refusal = { code, reason: found.refusal.reason, message, hint };
    return { ...facts, format: null, virtualSizeBytes: null, remarks: [], refusal };
  } finally {
    answer.destroy();
  }
}

async function firstBytes(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body) {
    parts.push(part);
    bytes += part.length;
    if (bytes >= headBytes) break;
  }
  return Buffer.concat(parts).subarray(0, headBytes);
}
