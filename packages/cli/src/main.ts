import { readFileSync } from 'node:fs';
import { endOnLostOutput } from './runtime/lost-output.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const argv = process.argv.slice(2);
// Each branch loads only what it needs.
if (argv.length === 1 && argv[0] === '--version') {
  endOnLostOutput(process);
  process.stdout.write(`${version}\n`);
} else {
  try {
    if (argv[0] === 'serve') {
      process.argv.splice(2, 1);
      await (await import('./commands/serve.ts')).runServer();
    } else await (await import('./run.ts')).runCommand(process, { argv, version });
  } catch (error) {
    (await import('./run.ts')).reportError(error, argv);
  }
}
