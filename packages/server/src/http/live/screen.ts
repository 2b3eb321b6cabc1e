import type { VmId } from '@wcc/api';
import type { OnError } from '@wcc/progress/server';
import type { Principal } from '../../access/principal.ts';
import type { ScreenOfVm } from '../../machines/screen.ts';
import type { OpenChannel } from './machine-sockets.ts';
import { createRfbInput } from './rfb-input.ts';
import { bridgeScreen } from './screen-bridge.ts';

export interface ScreenChannelDeps {
  screen: (principal: Principal, id: VmId) => Promise<ScreenOfVm>;
  onScreen: (principal: Principal, id: VmId) => Promise<void>;
  onError: OnError;
}

/**
 * Opens screens: binary RFB. With `heartbeat=true` a text message follows 8 s of silence, because a page sees no pings.
 * With `viewOnly=true` no input passes.
 */
export function createScreenChannel({ screen: find, onScreen, onError }: ScreenChannelDeps): OpenChannel {
  return async ({ id, connection: { principal, noteUse }, query }) => {
    const screen = await find(principal, id);
    const backend = await screen.open();
    const isViewOnly = query.get('viewOnly') === 'true' || !screen.mayInput;
    const hasHeartbeat = query.get('heartbeat') === 'true';
    return {
      abandon: () => backend.destroy(),
      join(socket, wire) {
        const input = createRfbInput({ isViewOnly, onInput: noteUse });
        onScreen(principal, id).catch((error: unknown) => onError(error, { stage: 'screen: audit' }));
        return bridgeScreen({ socket, wire, backend, input, hasHeartbeat });
      },
    };
  };
}
