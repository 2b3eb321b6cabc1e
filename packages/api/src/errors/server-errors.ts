/** States and failures of the server. A part of the registry in `errors.ts`. */
export const serverErrors = {
  server_restarted: {
    status: 500,
    message: 'The server stopped before the operation ended; no partial result is left.',
    hint: 'Start it again.',
  },
  publisher_lost: {
    status: 504,
    message: 'The program that reports this operation stopped reporting.',
    hint: 'Check that program, then start it again.',
  },
  database_unavailable: {
    status: 503,
    message: 'The database does not answer; running operations continue.',
    hint: 'Try again in a moment. If it lasts, check the disk of the data directory and the log.',
  },
  database_full: {
    status: 503,
    message:
      'The disk of the database is full; wcc accepts only requests that end access, stop work or delete.',
    hint: 'Delete images or machines, or free space on the disk of the data directory.',
  },
  database_damaged: {
    status: 503,
    message: 'The database is damaged.',
    hint: 'Stop wcc and restore the database from a backup.',
  },
  starting: {
    status: 503,
    message: 'The server is starting.',
    hint: 'Try again in a moment.',
  },
  shutting_down: {
    status: 503,
    message: 'The server is stopping.',
    hint: 'Try again in a moment.',
  },
  internal: {
    status: 500,
    message: 'The server had an unexpected error.',
    hint: 'Search its log for the request id.',
  },
} as const;
