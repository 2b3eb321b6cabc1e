export { connect } from './client.ts';
export type { ConnectOptions, ProgressClient } from './client.ts';
export type { ConnectionStatus } from './connection.ts';
export { ClientError } from './errors.ts';
