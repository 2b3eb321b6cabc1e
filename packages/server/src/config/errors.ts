/** Reasons why the server cannot start: code → what to do. The process exits with code 2. */
export const configHints = {
  option_invalid: 'See wcc serve --help.',
  config_invalid: 'Correct the line; wcc config --template prints a file with every setting.',
  config_unreadable: 'Use a text file that the user of wcc can read, or leave --config and WCC_CONFIG out.',
  config_public: 'Take the right to read the file from other users: chmod o= FILE.',
  public_url_invalid: 'Use scheme, host and port only, e.g. https://wcc.example.org.',
  tls_required: 'Set --tls-cert and --tls-key, or both --behind-tls-proxy and an https --public-url.',
  openssl_missing:
    'Install the command openssl, or set --tls-cert and --tls-key, or listen on a loopback address.',
  certificate_failed:
    'Read the message of openssl, or set --tls-cert and --tls-key. A damaged key in tls/ can be deleted; its pin then changes.',
  tls_unreadable: 'Use a PEM certificate chain and its unencrypted PEM key, readable by this user.',
  admin_token_unreadable: 'Use a file that this user can read.',
  admin_token_short: 'Use at least 32 characters, for example the output of: openssl rand -base64 33',
  data_dir_unwritable: 'Set --data-dir to a directory that this user can write.',
  data_dir_in_use: 'Stop the other wcc, or set another --data-dir.',
  database_unusable: 'Use at least the version of wcc that wrote the database, or set another --data-dir.',
  database_damaged:
    'Restore the latest file of backups/ in the data directory, or read docs/database.md for other ways.',
  database_backup_failed:
    'Free space on the disk of the data directory, or start the earlier version, which needs no upgrade.',
  database_unopenable: 'Check the disk and the permissions of the data directory.',
  data_dir_full: 'Free space on the disk of the data directory.',
  start_failed: 'Start with --log-level debug for the details, and report this as an error of wcc.',
  pool_unwritable: 'Give the user that runs wcc read, write and search permission on the directory.',
  port_in_use: 'Stop that program, or choose another --port.',
  address_unavailable:
    'Set --host to an address of this machine and --port to a port that this user may use.',
} as const;

export type ConfigErrorCode = keyof typeof configHints;

/** The server cannot start with this configuration. */
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
