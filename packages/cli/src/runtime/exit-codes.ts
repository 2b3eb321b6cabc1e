/** What the command's exit code says. `docs/cli.md` is checked against this. */
export const exitCodes = {
  ok: { code: 0, meaning: 'Done.' },
  failed: { code: 1, meaning: 'The operation failed, or the server refused the request.' },
  usage: { code: 2, meaning: 'The command line is wrong, or a name means several things.' },
  forbidden: { code: 3, meaning: 'Not signed in, or not allowed.' },
  not_found: { code: 4, meaning: 'There is no such image, machine, operation or upload.' },
  unreachable: { code: 5, meaning: 'The server cannot be reached, or was away for too long.' },
  cancelled: { code: 6, meaning: 'The operation was cancelled.' },
  local_file: { code: 7, meaning: 'A local file cannot be read or written, or changed meanwhile.' },
  interrupted: {
    code: 130,
    meaning: 'Ended by Ctrl-C; work on the server goes on, an upload can be resumed.',
  },
  terminated: { code: 143, meaning: 'Ended by SIGTERM, in the same way.' },
} as const;

export type ExitName = keyof typeof exitCodes;
