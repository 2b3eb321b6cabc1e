import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../poll.ts';

/** The proxies of docs/proxies.md, run with the configuration that stands there. */
export const proxyNames = ['nginx', 'caddy', 'apache2', 'haproxy'] as const;
export type ProxyName = (typeof proxyNames)[number];

const page = fileURLToPath(new URL('../../../docs/proxies.md', import.meta.url));
const languages: Record<ProxyName, string> = {
  nginx: 'nginx',
  caddy: 'caddyfile',
  apache2: 'apache',
  haproxy: 'haproxy',
};

/** The name of the Debian package is the name of the program. Null when it is not installed. */
export function programOf(name: ProxyName): string | null {
  return ['/usr/sbin', '/usr/bin'].map((directory) => join(directory, name)).find(existsSync) ?? null;
}

export interface Places {
  directory: string;
  /** Where the proxy listens. */
  address: string;
  port: number;
  /** The port of wcc on 127.0.0.1. */
  targetPort: number;
}

/** Makes a self-signed certificate for `localhost` in the directory. @returns it as PEM */
export function makeCertificate(directory: string): string {
  const [key, certificate] = [join(directory, 'wcc.key'), join(directory, 'wcc.crt')];
  const args = `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost`;
  execFileSync('openssl', [...args.split(' '), '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  const pem = readFileSync(certificate, 'utf8');
  writeFileSync(join(directory, 'wcc.pem'), pem + readFileSync(key, 'utf8'));
  return pem;
}

/** The documented configuration with the places of a test. */
function documented(name: ProxyName, { directory, address, port, targetPort }: Places): string {
  const pattern = new RegExp(`\`\`\`${languages[name]}\\n([^]*?)\`\`\``);
  const [, text] = pattern.exec(readFileSync(page, 'utf8')) ?? [];
  if (text === undefined) throw new Error(`docs/proxies.md has no configuration of ${name}.`);
  return text
    .replaceAll('/etc/ssl/', `${directory}/`)
    .replaceAll('127.0.0.1:8400', `127.0.0.1:${targetPort}`)
    .replaceAll('wcc.example.org', 'localhost')
    .replaceAll(/\b(listen|bind) :?443\b/gi, `$1 ${address}:${port}`)
    .replaceAll(/\b443\b/g, String(port));
}

const apacheModules = 'mpm_event ssl http2 proxy proxy_http reqtimeout authz_core';

/** What a distribution's main file has around the documented part. */
const around: Record<ProxyName, (text: string, places: Places) => string> = {
  nginx: (text, { directory }) => `daemon off;
master_process off;
error_log stderr;
pid ${directory}/nginx.pid;
events {}
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${directory}/${kind};`)
    .join('\n  ')}
${text}}
`,
  caddy: (text, { address }) => `{
  admin off
  auto_https disable_redirects
  default_bind ${address}
}
${text}`,
  // Apache can open neither a socket nor a pipe by name, so its log is a file.
  apache2: (text, { directory }) => `ServerRoot ${directory}
PidFile ${directory}/apache2.pid
DefaultRuntimeDir ${directory}
ErrorLog ${directory}/apache2.log
User #65534
Group #65534
${apacheModules
  .split(' ')
  .map((module) => `LoadModule ${module}_module /usr/lib/apache2/modules/mod_${module}.so`)
  .join('\n')}
ServerName localhost
${text}`,
  haproxy: (text) => text,
};

const commands: Record<ProxyName, (path: string) => string[]> = {
  nginx: (path) => ['-c', path],
  caddy: (path) => ['run', '--adapter', 'caddyfile', '--config', path],
  apache2: (path) => ['-f', path, '-DFOREGROUND'],
  haproxy: (path) => ['-db', '-f', path],
};

export interface RunningProxy {
  /** What it has written. */
  log(): string;
  close(): Promise<void>;
}

/** Starts an installed proxy, and waits until it listens. */
export async function startProxy(name: ProxyName, places: Places): Promise<RunningProxy> {
  const { directory } = places;
  const program = programOf(name);
  if (program === null) throw new Error(`${name} is not installed: apt-get install ${name}`);
  const path = join(directory, `${name}.conf`);
  writeFileSync(path, around[name](documented(name, places), places));
  const child = spawn(program, commands[name](path), {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: directory,
      XDG_DATA_HOME: directory,
      XDG_CONFIG_HOME: directory,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
  const logFile = join(directory, `${name}.log`);
  const log = (): string => output + (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');
  const exited = once(child, 'exit');
  // SIGKILL would leave the children of Apache.
  const end = (): void => void child.kill('SIGTERM');
  process.once('exit', end);
  const close = async (): Promise<void> => {
    process.off('exit', end);
    end();
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await exited;
    clearTimeout(timer);
  };
  try {
    await until(
      () => {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${name} ended`);
        return listens(places);
      },
      { what: `${name} to listen` },
    );
  } catch (cause) {
    await close();
    throw new Error(`${String(cause)}\n${log()}`, { cause });
  }
  return { log, close };
}

async function listens({ address, port }: Places): Promise<boolean> {
  const socket = createConnection({ host: address, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
