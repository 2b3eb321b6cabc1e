/**
 * Carries the messages of bridges between processes: Redis pub/sub, NATS, `cluster`, anything that publishes a text to
 * all. It may lose, repeat, delay and reorder messages; the bridges repair that. It must be trusted: who can
 * publish on it can show any progress, and the messages hold what the owner of an operation sees.
 */
export interface BridgeTransport {
  /**
   * Sends a text of at most 128 KiB to every process, the sender included if that is simpler. The bridge waits until
   * the promise settles and sends the newest state then, so a slow transport never makes a queue. A rejection
   * means that the message may be lost.
   */
  publish(message: string): unknown;
  /** Calls `receive` with every message. @returns a function that stops it */
  subscribe(receive: (message: string) => void): (() => unknown) | Promise<() => unknown>;
}
