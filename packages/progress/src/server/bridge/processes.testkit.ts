import { afterEach, beforeEach, vi } from 'vitest';
import type { Snapshot } from '@wcc/progress';
import { createBridge } from '../bridge.ts';
import type { Bridge, BridgeOptions, BridgeTransport } from '../bridge.ts';
import { createHub } from '../hub.ts';
import type { Hub } from '../hub.ts';
import type { Bus } from './bus.testkit.ts';

/** A process with a hub and a bridge, in this process. Time is fake, so that losses of minutes take milliseconds. */
export interface Process {
  hub: Hub;
  bridge: Bridge;
  transport: ReturnType<Bus['transport']>;
  errors: unknown[];
}
const processes: Process[] = [];

/** Added to the clock of every process without running a timer, as if all had stood still. */
export const clock: { offsetMs: number } = { offsetMs: 0 };
const now = (): number => performance.now() + clock.offsetMs;

/** Uses fake time in each test of the file, and closes what the test started. */
export function useProcesses(): void {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(async () => {
    await stopProcesses();
    vi.useRealTimers();
  });
}

/** @param options those of the bridge; `through` replaces the transport by one that wraps it */
export function startProcess(
  bus: Bus,
  { through, echo = true, ...options }: BridgeOptions & StartOptions = {},
): Process {
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const hub = createHub({ now, onError });
  const transport = bus.transport({ echo });
  const bridge = createBridge(hub, through?.(transport) ?? transport, { now, onError, ...options });
  const started = { hub, bridge, transport, errors };
  processes.push(started);
  return started;
}

export interface StartOptions {
  echo?: boolean;
  through?: (transport: BridgeTransport) => BridgeTransport;
}

export async function stopProcesses(): Promise<void> {
  for (const { bridge, hub, transport } of processes.splice(0)) {
    transport.isSlow = false;
    const closed = bridge.close();
    await pass(3000);
    await closed;
    hub.close();
  }
}

export const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
export const byId = (hub: Hub): Map<string, Snapshot> =>
  new Map([...hub.list()].map((each) => [each.id, each]));
export const stateOf = (hub: Hub, { id }: { id: string }): unknown => hub.get(id)?.state;
