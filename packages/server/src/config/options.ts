export type Flag =
  | 'port'
  | 'host'
  | 'data-dir'
  | 'pool'
  | 'public-url'
  | 'tls-cert'
  | 'tls-key'
  | 'behind-tls-proxy'
  | 'trusted-proxy'
  | 'foreign-origins'
  | 'import-allow'
  | 'admin-token-file'
  | 'max-copies-per-pool'
  | 'free-space-floor'
  | 'upload-expiry'
  | 'upload-quota'
  | 'max-uploads-per-user'
  | 'max-virtual-size'
  | 'hypervisor'
  | 'log-level';

/** One setting: a flag and its environment twin. `docs/configuration.md` and `--help` are checked against this. */
export interface Option {
  flag: Flag;
  /** Name of the value in the help; null for a switch. */
  value: string | null;
  /** As the help words it; null when there is none. */
  default: string | null;
  /** Several of it are joined by commas. */
  isRepeatable?: boolean;
  description: string;
}

/** In the order of the help. A flag that is added here needs its row in `docs/configuration.md`. */
export const options: readonly Option[] = [
  {
    flag: 'port',
    value: 'PORT',
    default: '8400',
    description: 'Port to listen on; 0 lets the system choose.',
  },
  {
    flag: 'host',
    value: 'ADDRESS',
    default: '127.0.0.1',
    description: 'Address to listen on; any but a loopback one needs TLS files or a declared TLS proxy.',
  },
  {
    flag: 'data-dir',
    value: 'DIR',
    default: '$XDG_STATE_HOME/wcc, else ~/.local/state/wcc',
    description: 'Directory of the database.',
  },
  {
    flag: 'pool',
    value: 'DIR',
    default: 'images/ in the data directory',
    description: 'Directory in which the images live.',
  },
  {
    flag: 'public-url',
    value: 'URL',
    default: null,
    description: 'Address under which browsers reach this server, when it is not the one listened on.',
  },
  { flag: 'tls-cert', value: 'FILE', default: null, description: 'PEM certificate chain; needs --tls-key.' },
  { flag: 'tls-key', value: 'FILE', default: null, description: 'PEM private key; needs --tls-cert.' },
  {
    flag: 'behind-tls-proxy',
    value: null,
    default: null,
    description:
      'A proxy in front ends TLS: plain HTTP is accepted on any address. Needs an https --public-url.',
  },
  {
    flag: 'trusted-proxy',
    value: 'CIDR,…',
    default: 'none',
    description: 'Proxies whose X-Forwarded-For names the client address.',
  },
  {
    flag: 'foreign-origins',
    value: 'URL,…',
    default: 'none',
    description: 'Origins whose pages may show single operations, by a ticket or a share link.',
  },
  {
    flag: 'import-allow',
    value: 'CIDR,…',
    default: 'none',
    isRepeatable: true,
    description: 'Private addresses that images may be imported from; may be given several times.',
  },
  {
    flag: 'admin-token-file',
    value: 'FILE',
    default: null,
    description:
      'File with a bearer token (32 characters or more) that has administrator rights for this process.',
  },
  {
    flag: 'max-copies-per-pool',
    value: 'N',
    default: '2',
    description: 'Operations that move data in one pool at the same time; the rest wait in line.',
  },
  {
    flag: 'free-space-floor',
    value: 'BYTES|%',
    default: '5% of the file system, at least 2 GiB',
    description: 'Space that copies leave free in the pool: bytes, or a percentage of the file system.',
  },
  {
    flag: 'upload-expiry',
    value: 'DAYS',
    default: '7',
    description: 'An unfinished upload that nobody goes on with for so long is removed.',
  },
  {
    flag: 'upload-quota',
    value: 'BYTES',
    default: 'as much as there is room',
    description: 'What the unfinished uploads of one user may take in all.',
  },
  {
    flag: 'max-uploads-per-user',
    value: 'N',
    default: '100',
    description: 'Unfinished uploads that one user may have.',
  },
  {
    flag: 'max-virtual-size',
    value: 'BYTES',
    default: '64 TiB',
    description: 'Largest image that is taken in by upload or import: its file, and its virtual size.',
  },
  {
    flag: 'hypervisor',
    value: 'NAME',
    default: 'auto',
    description: 'What runs machines: libvirt, qemu, or auto: libvirt where it answers, else QEMU alone.',
  },
  {
    flag: 'log-level',
    value: 'LEVEL',
    default: 'info',
    description: 'fatal, error, warn, info, debug or trace. The log is JSON lines on standard error.',
  },
];

/** The environment twin of a flag, e.g. `WCC_DATA_DIR`. */
export function environmentName(flag: string): string {
  return `WCC_${flag.toUpperCase().replaceAll('-', '_')}`;
}

/** Read from the environment only: no secret stands in argv. */
export const adminTokenVariable = 'WCC_ADMIN_TOKEN';

/** The text of `--help`. */
export function helpText(): string {
  const lines = options.map((option) => {
    const name = option.value === null ? `--${option.flag}` : `--${option.flag} ${option.value}`;
    const fallback = option.default === null ? '' : ` [${option.default}]`;
    return `  ${name.padEnd(28)}${option.description}${fallback}\n${' '.repeat(30)}${environmentName(option.flag)}`;
  });
  return [
    'wcc serve: the server of wcc',
    '',
    'Every flag has an environment twin, named below it; the flag wins.',
    '',
    ...lines,
    '  --help                      Print this and end.',
    '  --version                   Print the version and end.',
    '',
    `  ${adminTokenVariable.padEnd(28)}A bearer token with administrator rights for this process (environment only).`,
    '',
  ].join('\n');
}
