import type { Command } from 'commander';
import type { Context } from '../runtime/context.ts';
import { addAuditVerify } from './audit/verify.ts';

/** Adds `wcc audit` with its subcommand. */
export function addAuditCommands(program: Command, context: Context): void {
  addAuditVerify(program.command('audit').description('check the audit record of this host'), context);
}
