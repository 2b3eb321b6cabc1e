export {
  listPartials as list,
  readCheckpoint,
  recoverPublication as settle,
  removePartial as remove,
  removeSidecar as forget,
} from './recovery/partials.ts';
export { compareIdentity, identityOf } from './run/source.ts';
export type { FoundPartial } from './recovery/partials.ts';
export type { Checkpoint } from './contract/checkpoint.ts';
