// Files that are made from the program itself: man page, completions, and the commented settings.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { debianVersion, maintainer } from './facts.mjs';
import { manPage } from './man-page.mjs';
import { zip } from './stage.mjs';

/** @returns paths in the package → content */
export async function makeDocuments(source, { version, epoch }) {
  const load = (path) => import(pathToFileURL(join(source, 'packages', path)).href);
  const [{ createProgram }, { completionScript }, settings, { createConfigTemplate }] = await Promise.all([
    load('cli/dist/program.js'),
    load('cli/dist/completion/script.js'),
    load('server/dist/config/options.js'),
    load('server/dist/config-command.js'),
  ]);
  const program = await createProgram(process, version);
  const completions = Object.fromEntries(
    ['bash', 'zsh', 'fish'].map((shell) => [shell, completionScript(program, shell)]),
  );
  return new Map([
    ['usr/share/man/man1/wcc.1.gz', zip(manPage(program, { version, epoch, settings }))],
    ['usr/share/bash-completion/completions/wcc', completions.bash],
    ['usr/share/zsh/vendor-completions/_wcc', zshFunction(completions.zsh)],
    ['usr/share/fish/vendor_completions.d/wcc.fish', completions.fish],
    ['usr/share/doc/wcc/changelog.gz', zip(debianChangelog(version, epoch))],
    ['etc/wcc/wcc.env', createConfigTemplate(['--data-dir', '/var/lib/wcc'])],
  ]);
}

/** The form that Debian's tools read; users read CHANGELOG.md. */
function debianChangelog(version, epoch) {
  const date = new Date(epoch * 1000).toUTCString().replace('GMT', '+0000');
  return `wcc (${debianVersion(version)}) unstable; urgency=medium

  * All changes: /usr/share/doc/wcc/CHANGELOG.md.gz

 -- ${maintainer}  ${date}
`;
}

/** zsh loads this file as a function at the first completion, which the last line then answers. */
function zshFunction(script) {
  const body = script.replace('autoload -U +X compinit && compinit -u\n', '');
  return `#compdef wcc\n${body}_bash_complete -F _wcc\n`;
}
