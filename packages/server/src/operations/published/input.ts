/**
 * What the store keeps beside the record of an operation that another program carries out. That it is there
 * is what tells such an operation from the server's own after a restart.
 */
export interface PublishedInput {
  published: {
    /** Silent for longer than this, the program counts as gone. */
    leaseS: number;
  };
}
