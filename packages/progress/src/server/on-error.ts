import { ProgressError } from '@wcc/progress';

/** Called with every error that no caller receives; `stage` says where it happened. */
export type OnError = (error: unknown, context: { stage: string }) => void;

/** The default: a process warning. Node prints the detail only of a warning that is not an Error object. */
export const warnOnError: OnError = (error, { stage }) => {
  if (!(error instanceof Error)) {
    process.emitWarning(String(error), { detail: `@wcc/progress: ${stage}.` });
    return;
  }
  const { name, message, stack = '' } = error;
  const isOurs = error instanceof ProgressError;
  const code = isOurs ? { code: error.code } : {};
  const explanation = isOurs ? error.hint : `\n${stack}`;
  process.emitWarning(message, { type: name, ...code, detail: `@wcc/progress: ${stage}. ${explanation}` });
};
