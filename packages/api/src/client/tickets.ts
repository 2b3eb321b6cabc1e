import type { Ticket, TicketRequest } from '../access.ts';
import type { ImageId, VmId } from '../ids.ts';
import { routes } from '../routes.ts';
import type { Send } from './request.ts';

/** Calls that create a single-use ticket. */
export function ticketCalls(send: Send) {
  const create = (body: TicketRequest, signal?: AbortSignal): Promise<Ticket> =>
    send<Ticket>('POST', routes.tickets(), { has: 'ticket', body, ...(signal ? { signal } : {}) });
  return {
    /** With `operations`, and `origin` for a program: a ticket for a page that shows only these. */
    ticket: create,
    watchTicket: (signal?: AbortSignal) => create({ purpose: 'watch' }, signal),
    screenTicket: (id: VmId, signal?: AbortSignal) =>
      create({ purpose: 'screen', target: String(id) }, signal),
    /** For the socket of a machine's serial log. */
    serialTicket: (id: VmId, signal?: AbortSignal) =>
      create({ purpose: 'serial', target: String(id) }, signal),
    /** For the form that starts a download in a browser. */
    downloadTicket: (id: ImageId, signal?: AbortSignal) =>
      create({ purpose: 'download', target: String(id) }, signal),
  };
}
