import { ProgressError } from '@wcc/progress';
import type { AnswerMessage, RequestMessage } from './messages.ts';

type Outgoing = Pick<RequestMessage, 'to' | 'kind' | 'op' | 'verb' | 'by'>;

export interface RequestsOptions {
  newId: () => string;
  send: (body: Omit<RequestMessage, 'v' | 'from' | 'name'>) => void;
  answer: (body: Omit<AnswerMessage, 'v' | 'from' | 'name'>) => void;
  /** Carries out a request of another process. */
  carryOut: (request: RequestMessage) => unknown;
}

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
  stop: () => void;
}

/** A request is sent again until its answer arrives; the receiver carries it out once. */
export interface Patience {
  repeatEveryMs: number;
  deadlineMs: number;
}

const usualPatience: Patience = { repeatEveryMs: 1000, deadlineMs: 10_000 };
/** Answers that are remembered for repeated requests. */
const maxAnswers = 1000;

/** Requests to other processes and their answers, over messages that may be lost or repeated. */
export class Requests {
  readonly #options: RequestsOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #answers = new Map<string, Promise<Pick<AnswerMessage, 'result' | 'error'>>>();

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /** @throws {ProgressError} `action_unanswered`, or `action_failed` with the owner's reason */
  ask(request: Outgoing, { repeatEveryMs, deadlineMs }: Patience = usualPatience): Promise<unknown> {
    const req = this.#options.newId();
    return new Promise((resolve, reject) => {
      const send = (): void => this.#options.send({ t: 'req', req, ...request });
      const repeating = setInterval(send, repeatEveryMs).unref();
      const giveUp = setTimeout(
        () => this.#settle(req)?.reject(new ProgressError('action_unanswered', { detail: request.op })),
        deadlineMs,
      ).unref();
      const stop = (): void => {
        clearInterval(repeating);
        clearTimeout(giveUp);
      };
      this.#waiting.set(req, { resolve, reject, stop });
      send();
    });
  }

  answered({ req, result, error }: AnswerMessage): void {
    const waiting = this.#settle(req);
    if (error === undefined) waiting?.resolve(result ?? null);
    else waiting?.reject(new ProgressError('action_failed', { detail: `${error.code}: ${error.message}` }));
  }

  async requested(request: RequestMessage): Promise<void> {
    const { req, from } = request;
    const answer = this.#answers.get(req) ?? this.#carryOut(request);
    this.#answers.set(req, answer);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > maxAnswers && oldest !== undefined) this.#answers.delete(oldest);
    this.#options.answer({ t: 'res', to: from, req, ...(await answer) });
  }

  close(): void {
    for (const req of this.#waiting.keys()) this.#settle(req)?.reject(new ProgressError('bridge_closed'));
  }

  #settle(req: string): Waiting | undefined {
    const waiting = this.#waiting.get(req);
    this.#waiting.delete(req);
    waiting?.stop();
    return waiting;
  }

  async #carryOut(request: RequestMessage): Promise<Pick<AnswerMessage, 'result' | 'error'>> {
    try {
      return { result: await this.#options.carryOut(request) };
    } catch (error) {
      const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
      const message = error instanceof Error ? error.message : String(error);
      return { error: { code: typeof code === 'string' ? code : 'error', message } };
    }
  }
}
