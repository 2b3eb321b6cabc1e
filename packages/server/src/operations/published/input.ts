/**
 * The stored input of an operation that another program runs. Its presence distinguishes such an operation from
 * the server's own after a restart.
 */
export interface PublishedInput {
  published: {
    /** A program that is silent for longer counts as gone. */
    leaseS: number;
  };
}
