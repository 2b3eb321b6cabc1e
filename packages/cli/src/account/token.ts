import { CliError } from '../runtime/errors.ts';

/**
 * A token as the user has given it, without the blanks and line breaks around it.
 *
 * @param name what the message calls it
 * @throws CliError `usage`
 */
export function parseToken(text: string, name: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new CliError('usage', `${name} is not a valid token.`, {
    hint: 'Create a token in the console: API tokens.',
  });
}
