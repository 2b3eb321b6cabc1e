export type Flag =
  | 'port'
  | 'host'
  | 'data-dir'
  | 'pool'
  | 'public-url'
  | 'tls-cert'
  | 'tls-key'
  | 'hsts'
  | 'behind-tls-proxy'
  | 'trusted-proxy'
  | 'foreign-origins'
  | 'import-allow'
  | 'admin-token-file'
  | 'max-copies-per-pool'
  | 'free-space-floor'
  | 'emergency-floor'
  | 'upload-expiry'
  | 'upload-quota'
  | 'max-uploads-per-user'
  | 'max-virtual-size'
  | 'hypervisor'
  | 'log-level';

/** One setting: a flag and its environment variable. Tests compare `docs/configuration.md` and `--help` with it. */
export interface Option {
  flag: Flag;
  /** Placeholder of the value in the help; null for a switch. */
  value: string | null;
  /** Text of the default in the help; null without a default. */
  default: string | null;
  /** The value in the template of the configuration file; the default where it can be written. */
  example: string;
  /** May be repeated; the values are joined by commas. */
  isRepeatable?: boolean;
  description: string;
}

/** In the order of the help. Each needs a row in `docs/configuration.md`. */
export const options: readonly Option[] = [
  {
    flag: 'port',
    value: 'PORT',
    default: '8400',
    example: '8400',
    description: 'Port to listen on; 0 lets the system choose.',
  },
  {
    flag: 'host',
    value: 'ADDRESS',
    default: '127.0.0.1',
    example: '127.0.0.1',
    description:
      'Address to listen on. Without TLS files, any except loopback gets HTTPS with a self-signed certificate.',
  },
  {
    flag: 'data-dir',
    value: 'DIR',
    default: '$XDG_STATE_HOME/wcc, else ~/.local/state/wcc',
    example: '/var/lib/wcc',
    description: 'Directory of the database.',
  },
  {
    flag: 'pool',
    value: 'DIR',
    default: 'images/ in the data directory',
    example: '/var/lib/wcc/images',
    description: 'Directory of the images. A directory that you name must exist.',
  },
  {
    flag: 'public-url',
    value: 'URL',
    default: null,
    example: 'https://wcc.example.org',
    description: 'Address of this server for browsers, if it differs from the listening address.',
  },
  {
    flag: 'tls-cert',
    value: 'FILE',
    default: null,
    example: '/etc/wcc/cert.pem',
    description: 'PEM certificate chain; needs --tls-key.',
  },
  {
    flag: 'tls-key',
    value: 'FILE',
    default: null,
    example: '/etc/wcc/key.pem',
    description: 'PEM private key; needs --tls-cert.',
  },
  {
    flag: 'hsts',
    value: null,
    default: null,
    example: 'true',
    description: 'Tell browsers to use only https for this host. Needs TLS files or --behind-tls-proxy.',
  },
  {
    flag: 'behind-tls-proxy',
    value: null,
    default: null,
    example: 'true',
    description:
      'A proxy terminates TLS, so the server accepts plain HTTP on any address. Needs an https --public-url.',
  },
  {
    flag: 'trusted-proxy',
    value: 'CIDR,…',
    default: 'none',
    example: '127.0.0.1',
    description: 'Proxies whose X-Forwarded-For header is trusted.',
  },
  {
    flag: 'foreign-origins',
    value: 'URL,…',
    default: 'none',
    example: 'https://status.example.org',
    description: 'Origins whose pages may show single operations with a ticket or a share link.',
  },
  {
    flag: 'import-allow',
    value: 'CIDR,…',
    default: 'none',
    example: '10.0.0.0/8',
    isRepeatable: true,
    description: 'Private addresses from which users may import images (repeatable).',
  },
  {
    flag: 'admin-token-file',
    value: 'FILE',
    default: null,
    example: '/etc/wcc/admin-token',
    description: 'File with a bearer token of at least 32 characters; it has administrator rights.',
  },
  {
    flag: 'max-copies-per-pool',
    value: 'N',
    default: '2',
    example: '2',
    description: 'Maximum number of operations that move data in one pool at a time; the others queue.',
  },
  {
    flag: 'free-space-floor',
    value: 'BYTES|%',
    default: '5% of the file system, at least 2 GiB',
    example: '5%',
    description: 'Space that operations leave free in the pool: bytes, or a percentage of the file system.',
  },
  {
    flag: 'emergency-floor',
    value: 'BYTES|%',
    default: '256 MiB',
    example: '268435456',
    description:
      'Free space below which wcc pauses the machines whose disks are on that file system; 0: never.',
  },
  {
    flag: 'upload-expiry',
    value: 'DAYS',
    default: '7',
    example: '7',
    description: 'Days without new bytes after which the server removes an unfinished upload.',
  },
  {
    flag: 'upload-quota',
    value: 'BYTES|%',
    default: '50%',
    example: '50%',
    description:
      'Maximum total size of the unfinished uploads of one user: bytes, or a percentage of the space that is free without them. It does not bind administrators.',
  },
  {
    flag: 'max-uploads-per-user',
    value: 'N',
    default: '100',
    example: '100',
    description: 'Maximum number of unfinished uploads of one user.',
  },
  {
    flag: 'max-virtual-size',
    value: 'BYTES',
    default: '64 TiB',
    example: '70368744177664',
    description: 'Maximum file size and virtual size of an uploaded or imported image.',
  },
  {
    flag: 'hypervisor',
    value: 'NAME',
    default: 'auto',
    example: 'auto',
    description: 'Hypervisor: libvirt, qemu, or auto (libvirt if it answers, else QEMU).',
  },
  {
    flag: 'log-level',
    value: 'LEVEL',
    default: 'info',
    example: 'info',
    description:
      'Level of the log: fatal, error, warn, info, debug or trace. The log is JSON lines on standard error.',
  },
];

/** The environment variable of a flag, e.g. `WCC_DATA_DIR`. */
export function environmentName(flag: string): string {
  return `WCC_${flag.toUpperCase().replaceAll('-', '_')}`;
}

/** Never a flag, because other users can read argv. */
export const adminTokenVariable = 'WCC_ADMIN_TOKEN';

/** Names the configuration file, as `--config` does. */
export const configVariable = 'WCC_CONFIG';

/** The text of `--help`. */
export function helpText(): string {
  const lines = options.map((option) => {
    const name = option.value === null ? `--${option.flag}` : `--${option.flag} ${option.value}`;
    const fallback = option.default === null ? '' : ` (default: ${option.default})`;
    return `  ${name.padEnd(28)}${option.description}${fallback}\n${' '.repeat(30)}${environmentName(option.flag)}`;
  });
  return [
    'wcc serve: run the wcc server',
    '',
    'Every flag has an environment variable, named below it. The flag wins over the variable, and the variable over the',
    'line of the configuration file with the same name. `wcc config` prints what is in force.',
    '',
    ...lines,
    '  --config FILE               Configuration file (default of the service: /etc/wcc/wcc.env, if it exists).',
    `                              ${configVariable}`,
    '  --help                      Print this help and exit.',
    '  --version                   Print the version and exit.',
    '',
    `  ${adminTokenVariable.padEnd(28)}Bearer token with administrator rights (environment or file only).`,
    '',
  ].join('\n');
}
