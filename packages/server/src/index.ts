export type { ServerConfig } from './config/config.ts';
export { ConfigError } from './config/errors.ts';
export { startServer } from './start.ts';
export type { RunningServer, StartOptions } from './start.ts';
