import type { Command } from 'commander';
import { Argument } from 'commander';
import { completionScript, shells } from '../completion/script.ts';
import type { Shell } from '../completion/script.ts';
import type { Context } from '../runtime/context.ts';

/** Adds `wcc completion`. */
export function addCompletion(program: Command, context: Context): void {
  program
    .command('completion')
    .description('print the completion script for a shell')
    .addArgument(new Argument('<shell>', 'shell').choices(shells))
    .addHelpText(
      'after',
      '\nbash: source <(wcc completion bash)\nzsh:  source <(wcc completion zsh)\nfish: wcc completion fish | source',
    )
    .action((shell: Shell) => void context.stdout.write(completionScript(program, shell)));
}
