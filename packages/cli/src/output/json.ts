import type { CliError } from '../runtime/errors.ts';

/** One document. Pretty for the eye; a program does not mind. */
export function document(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** One line of NDJSON. */
export function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** An error on standard error, for whoever reads standard output as JSON. */
export function errorLine({ code, message, hint }: CliError): string {
  return line({ error: { code, message, hint } });
}
