/**
 * Waits for something no longer than it is wanted. What is left to itself goes on or ends; its outcome concerns
 * nobody then.
 * @throws the reason of `signal` when that aborts first
 */
export async function abortable<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let giveUp = (): void => {};
  const unwanted = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(signal.reason as Error);
  });
  signal.addEventListener('abort', giveUp);
  if (signal.aborted) giveUp();
  try {
    return await Promise.race([work, unwanted]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
