import type { CliError } from '../runtime/errors.ts';

/** A JSON document with indentation. */
export function jsonDocument(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** One line of NDJSON. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** An error as JSON, for standard error. */
export function errorLine({ code, message, hint }: CliError): string {
  return jsonLine({ error: { code, message, hint } });
}
