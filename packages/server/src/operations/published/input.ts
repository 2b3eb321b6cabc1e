/**
 * The stored input of an operation that another program runs. Its presence distinguishes such an operation from
 * the server's own after a restart.
 */
export interface PublishedInput {
  published: {
    /** After this time without a report, the program counts as stopped. */
    leaseS: number;
    /** When it was interrupted, by the retention clock. Missing before the first interruption. */
    interruptedAtMs?: number;
  };
}
