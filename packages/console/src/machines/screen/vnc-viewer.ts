import type { Viewer, ViewerEvents } from './link.ts';
import { openMachineSocket, watchSilence } from './machine-socket.ts';
import { PressedKeys } from './pressed-keys.ts';

export interface VncOptions {
  holder: Element;
  path: string;
  ticket: string;
  events: ViewerEvents;
  /** Accessible name of the picture. */
  label: string;
}

export interface VncViewer extends Viewer {
  isViewOnly: boolean;
  focus(): void;
  blur(): void;
  sendCtrlAltDel(): void;
}

/**
 * Connects noVNC to a socket with a ticket. noVNC sets styles by properties and writes no HTML, so it works
 * under the page's Content-Security-Policy and Trusted Types.
 */
export async function openViewer({ holder, path, ticket, events, label }: VncOptions): Promise<VncViewer> {
  const { RFB } = await import('./novnc.ts');
  // noVNC ignores the heartbeats, which are text messages.
  const socket = openMachineSocket(`${path}?heartbeat=true`, ticket);
  const rfb = new RFB(holder, socket);
  socket.addEventListener('open', events.opened);
  watchSilence({ socket, onSilent: events.silent });
  let isOver = false;
  rfb.scaleViewport = true;
  rfb.background = '';
  const canvas = holder.querySelector('canvas');
  canvas?.setAttribute('role', 'img');
  canvas?.setAttribute('aria-label', label);
  // noVNC releases keys only when the window loses the focus.
  const keys = new PressedKeys(canvas ?? holder);
  canvas?.addEventListener('blur', () => keys.release());
  rfb.addEventListener('connect', events.connected);
  rfb.addEventListener('disconnect', () => {
    isOver = true;
    events.closed();
  });
  return {
    get isViewOnly() {
      return rfb.viewOnly;
    },
    set isViewOnly(isViewOnly) {
      if (rfb.viewOnly === isViewOnly) return;
      keys.release();
      rfb.viewOnly = isViewOnly;
    },
    focus: () => rfb.focus(),
    blur: () => rfb.blur(),
    sendCtrlAltDel: () => {
      rfb.sendCtrlAltDel();
      rfb.focus();
    },
    close: () => {
      if (isOver) return;
      keys.release();
      rfb.disconnect();
    },
  };
}
