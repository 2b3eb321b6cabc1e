/** Everything that can keep the server from starting: code → what to do. The program ends with exit code 2. */
export const configHints = {
  option_invalid: 'See wcc serve --help.',
  public_url_invalid: 'Give scheme, host and port only, e.g. https://wcc.example.org.',
  tls_required:
    'Give --tls-cert and --tls-key, or --behind-tls-proxy with --public-url, or listen on a loopback address.',
  tls_unreadable: 'Give a PEM certificate (chain) and its unencrypted PEM key, readable by this user.',
  admin_token_unreadable: 'Give a file that this user can read.',
  admin_token_short: 'Use at least 32 characters, for example the output of: openssl rand -base64 33',
  data_dir_unwritable: 'Give --data-dir a directory that this user may write.',
  data_dir_in_use: 'Stop the other wcc, or give this one a --data-dir of its own.',
  database_unusable: 'Use the version of wcc that wrote it or a newer one, or another --data-dir.',
  pool_unwritable: 'Give the user that runs wcc read, write and search permission on the directory.',
  port_in_use: 'Stop the program that uses it, or choose another --port.',
  address_unavailable: 'Give --host an address of this machine, and a --port that this user may listen on.',
} as const;

export type ConfigErrorCode = keyof typeof configHints;

/** The server cannot start as it is configured. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code: ConfigErrorCode;
  readonly hint: string;

  constructor(code: ConfigErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
    this.hint = configHints[code];
  }
}
