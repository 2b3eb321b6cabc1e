import type { OnError } from '@wcc/progress/server';
import type { ImageId } from '@wcc/api';
import type { Principal } from '../../access/principal.ts';
import type { VmScreens } from '../../machines/screen.ts';
import type { VmSerial } from '../../machines/serial.ts';
import { assertFreeSocket } from './machine-sockets.ts';
import type { MachineSocketKind, MachineSocketLimits, OpenChannel } from './machine-sockets.ts';
import { createScreenChannel } from './screen.ts';
import { createSerialChannel } from './serial.ts';
import type { TicketTargets } from './tickets.ts';

/** What each kind of socket of a machine carries. */
export function createMachineChannels(
  domain: Pick<VmScreens & VmSerial, 'screen' | 'noteScreen' | 'followSerial'>,
  onError: OnError,
): Readonly<Record<MachineSocketKind, OpenChannel>> {
  return {
    screen: createScreenChannel({
      screen: (principal, id) => domain.screen(principal, id),
      onScreen: (principal, id) => domain.noteScreen(principal, id),
      onError,
    }),
    serial: createSerialChannel({
      follow: (principal, id, options) => domain.followSerial(principal, id, options),
      onError,
    }),
  };
}

/** A ticket is refused for the reasons that would refuse its socket, because a browser does not show why a socket failed. */
export function createTicketTargets(
  domain: Pick<VmScreens & VmSerial, 'screen' | 'assertSerial'> & {
    downloadable: (principal: Principal, id: ImageId) => Promise<void>;
  },
  limits: MachineSocketLimits,
): TicketTargets {
  return {
    async screen(principal, id) {
      const screen = await domain.screen(principal, id);
      assertFreeSocket(limits, { kind: 'screen', principal });
      // A machine that others have changed may have no screen.
      (await screen.open()).destroy();
    },
    async serial(principal, id) {
      await domain.assertSerial(principal, id);
      assertFreeSocket(limits, { kind: 'serial', principal });
    },
    download: (principal, id) => domain.downloadable(principal, id),
  };
}
