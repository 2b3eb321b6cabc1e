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
    hint: 'Check the disk of the data directory, then restart wcc.',
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
