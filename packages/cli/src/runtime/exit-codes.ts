/** The exit codes. A test compares them with `docs/cli.md`. */
export const exitCodes = {
  ok: { code: 0, meaning: 'Done.' },
  failed: { code: 1, meaning: 'The operation failed, or the server refused the request.' },
  usage: { code: 2, meaning: 'The command line is wrong, or a name is ambiguous.' },
  forbidden: { code: 3, meaning: 'Not signed in, or not allowed.' },
  not_found: { code: 4, meaning: 'There is no such image, machine, operation or upload.' },
  unreachable: { code: 5, meaning: 'The server cannot be reached, or was unreachable for too long.' },
  cancelled: { code: 6, meaning: 'The operation was cancelled.' },
  local_file: { code: 7, meaning: 'A local file cannot be read or written, or changed during the transfer.' },
  interrupted: {
    code: 130,
    meaning: 'Ended by Ctrl-C. Work on the server continues; an upload can be resumed.',
  },
  terminated: { code: 143, meaning: 'Ended by SIGTERM. Work on the server continues.' },
} as const;

export type ExitName = keyof typeof exitCodes;
