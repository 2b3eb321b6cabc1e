/**
 * Everything that a page without a bundler needs, as one minified file `element.min.js`: it defines `<wcc-progress>`
 * and exports the client.
 */
// oxlint-disable-next-line import/no-unassigned-import -- it defines the element
import './define.ts';

export { ClientError, connect } from '../client/index.ts';
export type { ConnectOptions, ConnectionStatus, ProgressClient } from '../client/index.ts';
export { WccProgressElement, registerLocale } from './index.ts';
export type { Catalogue, ProgressActionDetail, ProgressStateDetail } from './index.ts';
