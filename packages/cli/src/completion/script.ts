import type { Command, Option } from 'commander';

/** The shells with a completion script. */
export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

interface Flag {
  flag: string;
  description: string;
  /** The possible values: a local file, or one of these words. An empty list means unknown; null means no value. */
  value: 'file' | readonly string[] | null;
}

/** A command with its subcommands and options. */
interface CommandNode {
  /** `wcc image copy` without `wcc`. */
  path: string;
  words: string[];
  options: Flag[];
  /** Subcommands with descriptions, for shells that show them. */
  commands: { name: string; description: string }[];
  /** Whether the argument of the command is a local file. */
  takesFile: boolean;
}

/** Creates the completion script of a shell from the commands and options of the program. */
export function completionScript(program: Command, shell: Shell): string {
  const nodes = nodesOf(program, []);
  return { bash, zsh, fish }[shell](nodes);
}

function nodesOf(command: Command, path: readonly string[]): CommandNode[] {
  const commands = command.commands.map((child) => ({
    name: child.name(),
    description: child.description(),
  }));
  const options = command.options.flatMap(flagOf);
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  const own: CommandNode = {
    path: path.join(' '),
    words: [...commands.map(({ name }) => name), ...choices],
    options:
      command.name() === 'serve'
        ? []
        : [...options, { flag: '--help', description: 'print the help', value: null }],
    commands,
    takesFile: command.registeredArguments.some((argument) => argument.name() === 'file'),
  };
  return [own, ...command.commands.flatMap((child) => nodesOf(child, [...path, child.name()]))];
}

function flagOf({ long, flags, description, argChoices, required }: Option): Flag[] {
  if (typeof long !== 'string') return [];
  const value = flags.endsWith('<file>') ? 'file' : (argChoices ?? []);
  return [{ flag: long, description, value: required ? value : null }];
}

/** The words before the cursor, without options, select the command. */
function bash(nodes: readonly CommandNode[]): string {
  const cases = nodes.map(({ path, words, options, takesFile }) => {
    const flags = options.map(({ flag }) => flag).join(' ');
    return `    '${path}') words='${words.join(' ')}'; flags='${flags}'; files=${takesFile ? 1 : 0} ;;`;
  });
  const values = nodes.flatMap(({ path, options }) =>
    options.flatMap(({ flag, value }) => {
      if (value === null) return [];
      const [words, files] = value === 'file' ? ['', 1] : [value.join(' '), 0];
      return [`    '${path} ${flag}') words='${words}'; files=${files}; flags='' ;;`];
    }),
  );
  return `# bash completion of wcc. Use it: source <(wcc completion bash)
_wcc() {
  local current=\${COMP_WORDS[COMP_CWORD]} place='' word words='' flags='' files=0 index IFS=$' \\t\\n'
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    case "\${place:+$place }$word" in
${nodes
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      '${path}') place='${path}' ;;`)
  .join('\n')}
    esac
  done
  case "$place" in
${cases.join('\n')}
  esac
  case "$place \${COMP_WORDS[COMP_CWORD - 1]}" in
${values.join('\n')}
  esac
  if [[ $current == -* && -n $flags ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif ((files)); then
    compopt -o filenames 2>/dev/null
    # One per line, because names may contain blanks.
    IFS=$'\\n'
    COMPREPLY=($(compgen -f -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -F _wcc wcc
`;
}

/** zsh runs the bash function in its emulation. */
function zsh(nodes: readonly CommandNode[]): string {
  return `autoload -U +X compinit && compinit -u
autoload -U +X bashcompinit && bashcompinit
${bash(nodes).replace('# bash completion of wcc. Use it: source <(wcc completion bash)\n', '')}`;
}

function fish(nodes: readonly CommandNode[]): string {
  const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = nodes.flatMap((node) => {
    const at = `-n ${quote(`_wcc_at ${quoteWord(node.path)}`)}`;
    return [
      ...node.commands.map(
        ({ name, description }) => `complete -c wcc ${at} -a ${name} -d ${quote(description)}`,
      ),
      ...(node.commands.length === 0 && node.words.length > 0
        ? [`complete -c wcc ${at} -a ${quote(node.words.join(' '))}`]
        : []),
      ...(node.takesFile ? [`complete -c wcc ${at} -F`] : []),
      ...node.options.map(
        ({ flag, description, value }) =>
          `complete -c wcc ${at} -l ${flag.slice(2)}${fishValue(value)} -d ${quote(description)}`,
      ),
    ];
  });
  const paths = nodes.map(({ path }) => path).filter((path) => path !== '');
  return `# fish completion of wcc. Use it: wcc completion fish | source
function _wcc_at
  set -l place ''
  for word in (commandline -opc)[2..]
    set -l next (string trim "$place $word")
    contains -- "$next" ${paths.map(quoteWord).join(' ')}; and set place "$next"
  end
  test "$place" = "$argv[1]"
end
complete -c wcc -f
${lines.join('\n')}
`;
}

function fishValue(value: Flag['value']): string {
  if (value === null) return '';
  if (value === 'file') return ' -r -F';
  return value.length === 0 ? ' -x' : ` -x -a "${value.join(' ')}"`;
}

function quoteWord(text: string): string {
  return `"${text}"`;
}
