/** Told of every failure that has no caller; `stage` says where. */
export type OnError = (error: unknown, context: { stage: string }) => void;

/** The default: a process warning, so that nothing fails in silence. */
export const warnOnError: OnError = (error, { stage }) => {
  process.emitWarning(error instanceof Error ? error : String(error), { detail: `@wcc/progress: ${stage}` });
};
