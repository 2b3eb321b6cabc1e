import { createHash, X509Certificate } from 'node:crypto';

/** What a certificate says. */
export interface CertificateFacts {
  /** DNS names and IP addresses, without wildcards. */
  names: readonly string[];
  validFromMs: number;
  validToMs: number;
  /** SHA-256 of the public key, in the form of `curl --pinnedpubkey`. It stays as long as the key. */
  pin: string;
  /** SHA-256 of the certificate in pairs of hexadecimal digits, as browsers show it. */
  fingerprint: string;
}

/** Reads the first certificate of a PEM chain. @throws an error of `node:crypto` if it is none */
export function readCertificate(pem: string): CertificateFacts {
  const certificate = new X509Certificate(pem);
  const { publicKey, subjectAltName = '', validFrom, validTo, fingerprint256 } = certificate;
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return {
    names: subjectAltName
      .split(', ')
      .map((name) => /^(?:DNS|IP Address):([^*]+)$/.exec(name)?.[1])
      .filter((name) => name !== undefined),
    validFromMs: Date.parse(validFrom),
    validToMs: Date.parse(validTo),
    pin: `sha256//${createHash('sha256').update(spki).digest('base64')}`,
    fingerprint: fingerprint256,
  };
}
