import type { BridgeTransport } from './transport.ts';

/** What a bus does to messages; each is a probability. */
export interface Faults {
  lost: number;
  repeated: number;
  /** Delayed by up to a second, so that later messages overtake it. */
  late: number;
}

/** A bus in memory that loses, repeats and delays messages. */
export interface Bus {
  /** The transport of one process. With `echo`, it also hears itself. */
  transport(options?: { echo?: boolean }): BridgeTransport & Port;
  faults: Faults;
  /** Texts handed over since the start. */
  readonly published: string[];
}

interface Port {
  /** Cut off: neither sends nor receives. */
  isCut: boolean;
  /** Publishing waits until it is false again. */
  isSlow: boolean;
}

export const noFaults: Faults = { lost: 0, repeated: 0, late: 0 };

/** @param random numbers from 0 to 1 */
export function createBus(random: () => number = Math.random): Bus {
  const receivers = new Map<Port, (message: string) => void>();
  const bus: Bus = {
    faults: noFaults,
    published: [],
    transport: ({ echo = true } = {}) => {
      const port: BridgeTransport & Port = {
        isCut: false,
        isSlow: false,
        publish: async (message) => {
          while (port.isSlow) await new Promise((resolve) => setTimeout(resolve, 10));
          bus.published.push(message);
          if (port.isCut) return;
          for (const to of receivers.keys()) if (echo || to !== port) deliver(to, message);
        },
        subscribe: (receive) => {
          receivers.set(port, receive);
          return () => receivers.delete(port);
        },
      };
      return port;
    },
  };

  function deliver(to: Port, message: string): void {
    if (random() < bus.faults.lost) return;
    const delayMs = random() < bus.faults.late ? random() * 1000 : 0;
    setTimeout(() => {
      if (!to.isCut) receivers.get(to)?.(message);
    }, delayMs);
    if (random() < bus.faults.repeated) deliver(to, message);
  }

  return bus;
}

/** Numbers from 0 to 1 that a seed determines. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}
