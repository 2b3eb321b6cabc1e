import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { ProgressError } from '@wcc/progress';
import type { BridgeTransport } from './transport.ts';

/** Options of {@link clusterTransport}. */
interface ClusterTransportOptions {
  /** Separates several bridges of one cluster. @default 'default' */
  channel?: string;
}

/** What travels between primary and workers. The key keeps it apart from the messages of the application. */
interface Packet {
  wccBridge: string;
  /** A message of a bridge; `null` asks the primary whether it passes messages on, or answers that it does. */
  text: string | null;
}

const joinMs = 2000;
/** Bytes that wait for one worker. Beyond it the primary drops messages; the bridges ask for them again. */
const maxUnsentBytes = 8 * 1024 * 1024;

type Receive = (text: string) => void;

/**
 * A transport between the processes of `node:cluster`. Call it in the primary before it forks, and in every worker:
 * the primary passes the messages on. The primary may use the transport for a bridge of its own.
 *
 * Process managers that are the primary themselves, such as PM2, pass nothing on; the bridge then reports
 * `no_cluster_primary`.
 */
export function clusterTransport({ channel = 'default' }: ClusterTransportOptions = {}): BridgeTransport {
  if (!cluster.isPrimary) return workerTransport(channel);
  const known = primaries.get(channel) ?? new PrimaryTransport(channel);
  primaries.set(channel, known);
  return known;
}

/** One for each channel, because every one of them passes on what a worker sends. */
const primaries = new Map<string, PrimaryTransport>();

class PrimaryTransport implements BridgeTransport {
  readonly #channel: string;
  readonly #receivers = new Set<Receive>();
  readonly #unsentBytes = new WeakMap<Worker, number>();

  constructor(channel: string) {
    this.#channel = channel;
    cluster.on('message', (worker: Worker, message: unknown) => {
      const text = textOf(message, channel);
      if (text === null) this.#send(worker, null);
      else if (text !== undefined) this.publish(text);
    });
  }

  publish(text: string): void {
    for (const worker of Object.values(cluster.workers ?? {})) if (worker) this.#send(worker, text);
    // Later, as for every other process, so that a publisher never receives within its own call.
    setImmediate(() => {
      for (const receive of this.#receivers) receive(text);
    });
  }

  subscribe(receive: Receive): () => void {
    this.#receivers.add(receive);
    return () => void this.#receivers.delete(receive);
  }

  #send(worker: Worker, text: string | null): void {
    const unsent = this.#unsentBytes.get(worker) ?? 0;
    if (!worker.isConnected() || unsent > maxUnsentBytes) return;
    const bytes = text?.length ?? 0;
    const packet: Packet = { wccBridge: this.#channel, text };
    this.#unsentBytes.set(worker, unsent + bytes);
    // An error means that the worker has ended.
    worker.send(packet, () => {
      this.#unsentBytes.set(worker, (this.#unsentBytes.get(worker) ?? 0) - bytes);
    });
  }
}

function workerTransport(channel: string): BridgeTransport {
  const send = (text: string | null): Promise<void> =>
    new Promise((resolve, reject) => {
      const packet: Packet = { wccBridge: channel, text };
      process.send?.(packet, undefined, undefined, (error) => (error ? reject(error) : resolve()));
    });

  return {
    publish: send,
    subscribe: (receive) =>
      new Promise((resolve, reject) => {
        let giveUp: NodeJS.Timeout | null = null;
        const stop = (): void => void process.off('message', hear);
        const hear = (message: unknown): void => {
          const text = textOf(message, channel);
          if (text === null) {
            if (giveUp !== null) clearTimeout(giveUp);
            resolve(stop);
          } else if (text !== undefined) receive(text);
        };
        giveUp = setTimeout(() => {
          stop();
          reject(new ProgressError('no_cluster_primary'));
        }, joinMs).unref();
        process.on('message', hear);
        send(null).catch(reject);
      }),
  };
}

/** The text in a packet of this channel; `undefined` for any other message. */
function textOf(message: unknown, channel: string): string | null | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { wccBridge, text } = message as Partial<Packet>;
  return wccBridge === channel && (text === null || typeof text === 'string') ? text : undefined;
}
