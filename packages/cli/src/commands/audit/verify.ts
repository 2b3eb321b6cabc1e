import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { AuditVerification } from '@wcc/api';
import type { Command } from 'commander';
import { auditReport } from '../../output/audit-report.ts';
import type { CheckedRecord } from '../../output/audit-report.ts';
import { jsonDocument } from '../../output/json.ts';
import type { Context } from '../../runtime/context.ts';
import { CliError } from '../../runtime/errors.ts';
import { importServer } from '../../runtime/server-package.ts';
import { collect } from '../options.ts';

interface VerifyOptions {
  dataDir?: string;
  anchor: readonly string[];
  log: readonly string[];
  json?: boolean;
}

/** The part of `@wcc/server/audit` that this command calls. */
interface ServerAudit {
  readonly isAnchor: (text: string) => boolean;
  verifyAudit(options: {
    dataDir: string | null;
    environment: Context['env'];
    anchorTexts: AsyncIterable<string>;
  }): Promise<CheckedRecord>;
}

/** Adds `wcc audit verify`. */
export function addAuditVerify(parent: Command, context: Context): void {
  parent
    .command('verify')
    .description('check that no row of the audit record was changed, added or removed')
    .option('--data-dir <dir>', 'data directory of the server (default: as wcc serve)')
    .option('--anchor <anchor>', 'an anchor from the log of the server (repeatable)', collect, [])
    .option(
      '--log <file>',
      'a log of the server with its anchors; - is standard input (repeatable)',
      collect,
      [],
    )
    .option('--json', 'write JSON to standard output')
    .action(async (options: VerifyOptions) => {
      const audit = (await importServer('@wcc/server/audit')) as ServerAudit;
      const checked = await audit.verifyAudit({
        dataDir: options.dataDir ?? null,
        environment: context.env,
        anchorTexts: readAnchorTexts(options, { isAnchor: audit.isAnchor, stdin: context.stdin }),
      });
      context.stdout.write(options.json === true ? jsonDocument(checked) : auditReport(checked));
      if (!checked.intact) throw brokenRecord(checked);
    });
}

async function* readAnchorTexts(
  { anchor, log }: VerifyOptions,
  { isAnchor, stdin }: Pick<ServerAudit, 'isAnchor'> & Pick<Context, 'stdin'>,
): AsyncGenerator<string> {
  for (const text of anchor) {
    if (!isAnchor(text)) {
      throw new CliError('usage', `"${text}" is not an anchor.`, {
        hint: 'Copy the whole value of "auditAnchor" from a line of the log.',
      });
    }
    yield text;
  }
  for (const file of log) yield* createInterface({ input: file === '-' ? stdin : createReadStream(file) });
}

function brokenRecord({ problems }: AuditVerification): CliError {
  return new CliError(
    'failed',
    `The audit record is not intact. First bad row: ${problems[0]?.number ?? 0}.`,
    {
      code: 'audit_not_intact',
      hint: 'Keep a copy of the data directory and of the logs before you change anything.',
    },
  );
}
