import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { isLoopback } from '../config/config.ts';
import { readOwnCertificate } from '../tls/own-certificate.ts';
import { missingOr } from './data-directory.ts';
import type { Finding } from './finding.ts';
import { finding, reasonOf } from './finding.ts';
import type { Host } from './host.ts';

const dayMs = 86_400_000;
const soonMs = 21 * dayMs;

export async function checkCertificate({ settings, problem, user }: Host): Promise<Finding> {
  const { behindTlsProxy, ownCertificate, dataDir } = settings;
  let { tls } = settings;
  try {
    if (tls === null && ownCertificate) {
      tls = await readOwnCertificate(dataDir);
      if (tls === null) return finding('certificate_new');
    }
  } catch (error) {
    return missingOr(error, { path: dataDir, user: user.name, missing: 'certificate_new' });
  }
  if (tls === null) {
    if (problem !== null) return finding('certificate_unknown');
    return finding(behindTlsProxy ? 'certificate_proxy' : 'certificate_none');
  }
  try {
    const certificate = new X509Certificate(tls.cert);
    return judge(certificate, { key: tls.key, host: hostOf(settings), nowMs: Date.now() });
  } catch (error) {
    return finding('certificate_broken', { reason: reasonOf(error) });
  }
}

interface Wanted {
  key: string;
  /** The name under which browsers reach the server; null: unknown. */
  host: string | null;
  nowMs: number;
}

function judge(certificate: X509Certificate, { key, host, nowMs }: Wanted): Finding {
  const [beginsMs, endsMs] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  const endsOn = dayOf(endsMs);
  if (!certificate.checkPrivateKey(createPrivateKey(key))) return finding('certificate_other_key');
  if (endsMs <= nowMs) return finding('certificate_ended', { endsOn });
  if (beginsMs > nowMs) return finding('certificate_early', { beginsOn: dayOf(beginsMs) });
  const names = namesOf(certificate);
  if (host !== null && !isFor(certificate, host)) return finding('certificate_other_name', { names, host });
  return finding(endsMs - nowMs < soonMs ? 'certificate_ends_soon' : 'certificate_valid', { endsOn, names });
}

function isFor(certificate: X509Certificate, host: string): boolean {
  const found = isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host);
  return found !== undefined;
}

function namesOf({ subjectAltName, subject }: X509Certificate): string {
  const names = (subjectAltName ?? '').split(', ').map((name) => name.replace(/^[A-Za-z ]+:/, ''));
  return names[0] === '' ? subject.replaceAll('\n', ', ') : names.join(', ');
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** An address for all interfaces is no name. */
function hostOf({ publicUrl, host }: Host['settings']): string | null {
  if (publicUrl !== null) return new URL(publicUrl).hostname.replaceAll(/^\[|\]$/g, '');
  return isLoopback(host) || host === '0.0.0.0' || host === '::' ? null : host;
}
