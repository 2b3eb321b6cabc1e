import type { LazyCommands } from './group.ts';

/** The subcommand of `wcc audit`. */
export const auditCommands: LazyCommands = {
  verify: async () => (await import('./audit/verify.ts')).addAuditVerify,
};
