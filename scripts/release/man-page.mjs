// wcc(1), made from the commands themselves, so that it cannot differ from `--help`.

/** @returns the page in the macros of man(7) */
export function manPage(program, { version, epoch, settings }) {
  const date = new Date(epoch * 1000).toISOString().slice(0, 10);
  return [
    `.TH WCC 1 ${date} "wcc ${version}" "User Commands"`,
    '.SH NAME',
    `wcc \\- ${escape(program.description())}`,
    '.SH SYNOPSIS',
    '.B wcc',
    '.I command',
    '.RI [ options ]',
    '.SH COMMANDS',
    ...leaves(program, []).flatMap(describe),
    '.SH SETTINGS OF THE SERVER',
    `${escape('Each option of wcc serve has an environment variable. The option wins.')}`,
    ...settings.options.flatMap((option) => setting(option, settings)),
    '.SH EXIT STATUS',
    ...exitLines(program),
    '.SH FILES',
    ...tagged('/etc/wcc/wcc.env', 'Settings of the service.'),
    ...tagged('/var/lib/wcc', 'Database and images of the service, unless wcc.env names others.'),
    '',
  ].join('\n');
}

/** Commands that do something; a group only has subcommands. */
function leaves(command, path) {
  if (command.commands.length === 0) return [{ command, path }];
  return command.commands.flatMap((child) => leaves(child, [...path, child.name()]));
}

function describe({ command, path }) {
  const usage = command.usage().replace('[options]', '').trim();
  const options = command.options.flatMap(({ flags, description }) => tagged(flags, description));
  const nested = options.length === 0 ? [] : ['.RS', ...options, '.RE'];
  return [...tagged(`wcc ${path.join(' ')} ${usage}`.trim(), sentence(command.description())), ...nested];
}

function setting({ flag, value, default: fallback, description }, { environmentName }) {
  const note = fallback === null ? '' : ` (default: ${fallback})`;
  const name = value === null ? `--${flag}` : `--${flag} ${value}`;
  return tagged(`${name}, ${environmentName(flag)}`, `${description}${note}`);
}

/** The exit codes stand in the help of the program, below their heading. */
function exitLines(program) {
  let help = '';
  program.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 200 }).outputHelp();
  const [, list] = help.split('Exit codes:\n');
  if (list === undefined) throw new Error('The help of wcc has no exit codes.');
  return list
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null)
    .flatMap(([, code, meaning]) => tagged(code, meaning));
}

const tagged = (tag, text) => ['.TP', `.B ${escape(tag)}`, escape(text)];

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** Backslashes, and the dot or quote that would begin a macro. */
function escape(text) {
  const safe = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('\n', ' ');
  return /^[.']/.test(safe) ? `\\&${safe}` : safe;
}
