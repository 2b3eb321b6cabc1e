import type { Server } from 'node:http';
import { Server as SecureServer } from 'node:https';
import type { OnError } from '@wcc/progress/server';
import type { ServerConfig } from './config/config.ts';
import type { Addresses } from './http/addresses.ts';
import { tlsUnreadable } from './http/http-server.ts';
import type { CertificateFacts } from './tls/certificate.ts';
import { readCertificate } from './tls/certificate.ts';
import { ownCertificate, watchCertificate } from './tls/watch-certificate.ts';

/** The contents of TLS files. */
export type Tls = NonNullable<ServerConfig['tls']>;

/** The configuration with a certificate, which may have to be made first. @throws ConfigError */
export async function withCertificate(config: ServerConfig): Promise<ServerConfig> {
  return config.ownCertificate ? { ...config, tls: await ownCertificate(config, Date.now()) } : config;
}

/** The self-signed certificate in use, for people who compare it; null for any other. */
export type OwnCertificateFacts = Pick<CertificateFacts, 'pin' | 'fingerprint'> | null;

export function ownCertificateFacts({ ownCertificate: isOwn, tls }: ServerConfig): OwnCertificateFacts {
  if (!isOwn || tls === null) return null;
  const { pin, fingerprint } = readCertificate(tls.cert);
  return { pin, fingerprint };
}

export interface RunningTlsDeps {
  /** From {@link withCertificate}. */
  config: ServerConfig;
  server: Server;
  addresses: Addresses;
  /** Called with each later certificate. */
  onChange: (tls: Tls) => void;
  onError: OnError;
}

/** The certificate of a running server. */
export interface RunningTls {
  /** Takes other files into use; null if this server cannot. @throws ConfigError `tls_unreadable` */
  readonly change: ((tls: Tls) => void) | null;
  stop(): void;
}

/** Renews an own certificate, and reads own files again when they change. */
export function runTls({ config, server, addresses, onChange, onError }: RunningTlsDeps): RunningTls {
  const { tls } = config;
  if (!(server instanceof SecureServer) || tls === null) return { change: null, stop: () => {} };
  const apply = ({ cert, key }: { cert: string; key: string }): void => {
    try {
      // Open connections keep the earlier certificate.
      server.setSecureContext({ cert, key, minVersion: 'TLSv1.2' });
    } catch (cause) {
      throw tlsUnreadable(cause);
    }
    addresses.useCertificate(cert);
    onChange({ cert, key });
  };
  const start = (used: ServerConfig, pair: Tls) => watchCertificate({ config: used, pair, apply, onError });
  let watch = start(config, tls);
  const change = (next: Tls): void => {
    apply(next);
    watch.stop();
    watch = start({ ...config, tls: next }, next);
  };
  return { change: config.ownCertificate ? null : change, stop: () => watch.stop() };
}
