/** Called with every error that no caller receives; `stage` says where it happened. */
export type OnError = (error: unknown, context: { stage: string }) => void;

/** The default: a process warning. */
export const warnOnError: OnError = (error, { stage }) => {
  process.emitWarning(error instanceof Error ? error : String(error), { detail: `@wcc/progress: ${stage}` });
};
