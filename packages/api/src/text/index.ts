/**
 * wcc's names of actions, phases, reasons and warnings, for `registerLocale` of `@wcc/progress`. A user interface
 * registers the languages that it has.
 */
export { en } from './en.ts';
export { ja } from './ja.ts';
