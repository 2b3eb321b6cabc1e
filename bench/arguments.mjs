import { parseArgs } from 'node:util';

/**
 * Parses the command line of a benchmark. Every benchmark has `--write` and `--help`; at `--help` the process ends, and
 * with exit code 2 at words that the benchmark does not know.
 *
 * @param help the text of `--help`
 * @param options the benchmark's own options, by name, as texts; `undefined` if there is no default
 * @param words number of words beside the options; they are returned as `words`
 */
export function readArguments(help, options, words = 0) {
  const own = Object.entries(options).map(([name, byDefault]) => [
    name,
    { type: 'string', ...(byDefault === undefined ? {} : { default: byDefault }) },
  ]);
  const flag = { type: 'boolean', default: false };
  const { values, positionals } = parse({ ...Object.fromEntries(own), write: flag, help: flag }, help);
  if (values.help) {
    console.log(help);
    process.exit(0);
  }
  if (positionals.length > words) refuse(`Unknown word: ${positionals[words]}.`, help);
  if (positionals.length < words) refuse('A word is missing.', help);
  return { ...values, words: positionals };
}

function parse(options, help) {
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    return refuse(error.message, help);
  }
}

function refuse(reason, help) {
  console.error(`${reason}\n\n${help}`);
  process.exit(2);
}
