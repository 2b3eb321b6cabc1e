export { WccProgressElement } from './progress-element.ts';
export type { ProgressActionDetail, ProgressStateDetail } from './progress-element.ts';
export { registerLocale } from './text/registry.ts';
export type { Catalogue } from './text/catalogue.ts';
