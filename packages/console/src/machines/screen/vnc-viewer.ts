import { subprotocol, ticketPrefix } from '@wcc/progress/protocol';
import type { Viewer, ViewerEvents } from './link.ts';

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
  const url = new URL(path, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const rfb = new RFB(holder, new WebSocket(url, [subprotocol, ticketPrefix + ticket]));
  rfb.scaleViewport = true;
  rfb.background = '';
  const canvas = holder.querySelector('canvas');
  canvas?.setAttribute('role', 'img');
  canvas?.setAttribute('aria-label', label);
  rfb.addEventListener('connect', events.connected);
  rfb.addEventListener('disconnect', events.closed);
  return {
    get isViewOnly() {
      return rfb.viewOnly;
    },
    set isViewOnly(isViewOnly) {
      if (rfb.viewOnly !== isViewOnly) rfb.viewOnly = isViewOnly;
    },
    focus: () => rfb.focus(),
    blur: () => rfb.blur(),
    sendCtrlAltDel: () => {
      rfb.sendCtrlAltDel();
      rfb.focus();
    },
    close: () => rfb.disconnect(),
  };
}
