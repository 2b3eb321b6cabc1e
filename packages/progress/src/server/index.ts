export { createHub } from './hub.ts';
export type { Hub, HubOptions } from './hub.ts';
export type { OnError } from './on-error.ts';
export type { Measured, MeasuredField, OperationRecord } from './hub/record.ts';
export { byTicket } from './by-ticket.ts';
export type { ByTicketOptions } from './by-ticket.ts';
export { createTickets, TicketError } from './tickets.ts';
export type { TicketClaims, Tickets, TicketsOptions } from './tickets.ts';
export { progressbar } from './progressbar.ts';
export type { ProgressbarOperation, ProgressbarOptions } from './progressbar.ts';
export { attachWebSocket } from './websocket.ts';
export { exactHosts, exactOrigins } from './websocket/allow-lists.ts';
export type {
  WatchIdentity,
  WatchPrincipal,
  WebSocketGateway,
  WebSocketOptions,
} from './websocket/options.ts';
export { createEventStreams, EVENT_REFUSAL_STATUSES, serveEvents } from './event-streams.ts';
export type { EventRefusal, EventRequest, EventStreams, EventStreamsOptions } from './event-streams.ts';
export { createConnectionQuota as createPlaces } from './connection-quota.ts';
export type { ConnectionQuota as Places } from './connection-quota.ts';
export type { WatchStats } from './stats.ts';
