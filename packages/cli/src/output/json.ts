import type { CliError } from '../runtime/errors.ts';

/** A JSON document with indentation. */
export function jsonDocument(value: unknown): string {
  return `${escaped(JSON.stringify(value, null, 2))}\n`;
}

/** One line of NDJSON. */
export function jsonLine(value: unknown): string {
  return `${escaped(JSON.stringify(value))}\n`;
}

/** An error as JSON, for standard error. */
export function errorLine({ code, message, hint }: CliError): string {
  return jsonLine({ error: { code, message, hint } });
}

/** The same JSON: characters that could control a terminal, or hide in it, are written as escapes. */
function escaped(json: string): string {
  return json.replaceAll(/[\u007f-\u009f\p{Zl}\p{Zp}\p{Cf}\u2800]/gu, (character) =>
    Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
      .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
