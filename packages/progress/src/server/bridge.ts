import type { Bridge, BridgeOptions } from './bridge/contract.ts';
import { HubBridge } from './bridge/hub-bridge.ts';
import type { BridgeTransport } from './bridge/transport.ts';
import type { Hub } from './hub.ts';

export type { Bridge, BridgeOptions } from './bridge/contract.ts';
export type { BridgeTransport } from './bridge/transport.ts';

/**
 * Shows the operations of every process in the hub of every process, so that any of them answers any watcher. The
 * processes exchange the newest snapshots; lost messages are noticed and asked for again. It does not keep the
 * process alive.
 */
export function createBridge(hub: Hub, transport: BridgeTransport, options: BridgeOptions = {}): Bridge {
  return new HubBridge(hub, transport, options);
}
