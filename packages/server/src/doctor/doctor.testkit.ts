import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DoctorCheck, DoctorCheckId } from '@wcc/api';
import LibsqlDatabase from 'libsql';
import { createPools } from '../images/pool/pools.ts';
import { startAuditAnchoring } from '../storage/audit-anchoring.ts';
import { auditStatement } from '../storage/audit.ts';
import { readInstallationId } from '../storage/installation.ts';
import { openStore } from '../storage/store.ts';
import { examine } from './examine.ts';
import type { ExamineOptions } from './examine.ts';
import type { DoctorSettings } from './places.ts';

/** A data directory with a database, a signed audit record and a pool, as a server leaves them. */
export interface Installation {
  home: string;
  dataDir: string;
  pool: string;
  /** Changes the database as another program can. */
  tamper(sql: string): void;
  check(id: DoctorCheckId, options?: CheckOptions): Promise<DoctorCheck>;
  remove(): void;
}

export interface CheckOptions extends Omit<ExamineOptions, 'settings' | 'only'> {
  settings?: Partial<DoctorSettings>;
}

const onError = (error: unknown): never => {
  throw error;
};

/** @param template an installation that is copied, because that is faster. @default none */
export async function makeInstallation(template?: Installation): Promise<Installation> {
  const home = mkdtempSync(join(tmpdir(), 'wcc-doctor-test-'));
  const [dataDir, pool] = [join(home, 'data'), join(home, 'pool')];
  const tamper = (sql: string): void => {
    const database = new LibsqlDatabase(join(dataDir, 'wcc.sqlite'));
    database.exec(sql);
    database.close();
  };
  if (template === undefined) {
    mkdirSync(dataDir, { mode: 0o700 });
    mkdirSync(pool, { mode: 0o750 });
    await fillDataDirectory(dataDir, pool);
  } else {
    cpSync(template.home, home, { recursive: true });
    tamper(`update pools set path = '${pool}'`);
  }
  return {
    home,
    dataDir,
    pool,
    tamper,
    async check(id, { settings, ...options } = {}) {
      const all = { ...settingsOf({ dataDir, pool }), ...settings };
      const [found] = (await examine({ ...options, settings: all, only: [id] })).checks;
      if (found === undefined) throw new Error(`no check ${id}`);
      return found;
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}

async function fillDataDirectory(dataDir: string, pool: string): Promise<void> {
  const store = await openStore(join(dataDir, 'wcc.sqlite'), { onError });
  const installationId = await readInstallationId(store);
  const pools = await createPools({ store, installationId, pool: { path: pool, origin: 'named' }, onError });
  await pools.refresh();
  pools.close();
  const row = (what: string) =>
    auditStatement({ who: 'sato', address: '127.0.0.1', what, subject: null, result: 'ok' });
  await store.write(Array.from({ length: 9 }, (_, at) => row(`word.${at}`)));
  const anchoring = await startAuditAnchoring({ store, dataDir, log: () => {}, onRestored: onError });
  await anchoring.anchor();
  await store.close();
}

export function settingsOf({ dataDir, pool }: { dataDir: string; pool: string }): DoctorSettings {
  return {
    dataDir,
    pool: { path: pool, origin: 'named' },
    hypervisor: { driver: 'qemu', environment: {} },
    tls: null,
    publicUrl: null,
    host: '127.0.0.1',
    behindTlsProxy: false,
    ownCertificate: false,
    freeSpaceFloor: { bytes: 0, fraction: 0 },
  };
}

/** A directory of programs, each a shell script. */
export function makePrograms(home: string, scripts: Readonly<Record<string, string>>): string[] {
  const directory = mkdtempSync(join(home, 'programs-'));
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(directory, name), 0o755);
  }
  return [directory];
}

/** Files of a directory like /proc, by their paths. */
export function makeFiles(home: string, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(home, 'files-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return directory;
}

/** A certificate for `names` that is valid from one day to another one, counted from now. */
export function makeCertificate(
  home: string,
  { names, days }: { names: string; days: number },
): { cert: string; key: string } {
  const directory = mkdtempSync(join(home, 'certificate-'));
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const made = ['-keyout', key, '-out', cert, '-subj', '/CN=wcc', '-addext', `subjectAltName=${names}`];
  execFileSync('openssl', [...request, ...made, '-days', String(days)], { stdio: 'pipe' });
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}
