import { once } from 'node:events';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { parsePins, pinOfPeer, PinMismatch } from '@wcc/api/pins';
import type { Prompt } from '../account/prompt.ts';
import { CliError, keyChanged } from '../runtime/errors.ts';

/** Pins of the keys that a server may have; without any, an authority has to vouch for its certificate. */
export type Pins = readonly string[];

/** @param name what the message calls it. @throws CliError `usage` */
export function readPins(written: string, name: string): Pins {
  try {
    const pins = parsePins(written);
    if (pins.length > 0) return pins;
  } catch {
    // The same message as for none.
  }
  throw new CliError('usage', `${name} is not a pin.`, {
    hint: 'Copy the whole pin that the server printed: sha256//…=',
  });
}

/** The pins for an address: `WCC_PIN`, else those of the last sign-in. @throws CliError `usage` */
export function pinsFor(
  env: Readonly<Record<string, string | undefined>>,
  { origin, stored = [] }: { origin: string; stored?: Pins | undefined },
): Pins {
  const written = env['WCC_PIN'] ?? '';
  if (written.trim() === '') return stored;
  if (origin.startsWith('https:')) return readPins(written, 'WCC_PIN');
  throw new CliError('usage', `WCC_PIN has no meaning for ${origin}, which uses plain http.`, {
    hint: 'Use https, or unset WCC_PIN.',
  });
}

export interface TrustOptions {
  origin: string;
  /** `--pin`. */
  pin: string | undefined;
  /** `--accept-new-key`. */
  acceptNewKey: boolean;
  /** From `WCC_PIN` or the last sign-in. */
  known: Pins;
  /** Asks a person; null without a terminal. */
  prompt: Prompt | null;
  report: (text: string) => void;
}

/**
 * Decides at sign-in what to trust: an authority, else a key that was pinned earlier, named, or accepted by a person.
 * It sends nothing but the start of a TLS connection.
 *
 * @throws CliError `forbidden` for another key
 */
export async function decideTrust(options: TrustOptions): Promise<Pins> {
  const { origin, pin, acceptNewKey, known, prompt, report } = options;
  if (!origin.startsWith('https:')) {
    if (pin === undefined) return [];
    throw new CliError('usage', `--pin has no meaning for ${origin}, which uses plain http.`);
  }
  const named = pin === undefined ? null : readPins(pin, '--pin');
  const found = await lookAt(origin);
  const expected = named ?? (acceptNewKey ? [] : known);
  if (expected.length > 0) {
    if (expected.includes(found.pin)) return expected;
    throw keyChanged(new PinMismatch(expected, found.pin), origin);
  }
  if (found.distrust === null) return [];
  if (!acceptNewKey) await askPerson(prompt, { origin, ...found });
  report(`The key ${found.pin} of ${origin} is pinned now.\n`);
  return [found.pin];
}

interface Found {
  pin: string;
  /** Why no authority vouches for the certificate; null if one does. */
  distrust: string | null;
}

async function askPerson(
  prompt: Prompt | null,
  { origin, pin, distrust }: Found & { origin: string },
): Promise<void> {
  const message = `No authority vouches for the certificate of ${origin} (${distrust ?? ''}).`;
  if (prompt === null) {
    throw new CliError('forbidden', `${message} Pin of its key: ${pin}`, {
      code: 'untrusted_certificate',
      hint: `Compare it with the pin that the server printed, then: wcc login ${origin} --pin ${pin}`,
    });
  }
  const question = `${message}\nPin of its key: ${pin}\nIs this the pin that the server printed? Trust it (yes/no): `;
  if (/^y(es)?$/i.test(await prompt.ask(question))) return;
  throw new CliError('forbidden', 'The key was not accepted.', { code: 'untrusted_certificate' });
}

const withinMs = 15_000;

async function lookAt(origin: string): Promise<Found> {
  const { hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket = connect({
    host,
    port: Number(port === '' ? 443 : port),
    ...name,
    rejectUnauthorized: false,
  });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(withinMs) });
    const { authorized, authorizationError } = socket;
    return { pin: pinOfPeer(socket), distrust: authorized ? null : String(authorizationError) };
  } catch (cause) {
    const hint = 'Check the address and the network.';
    throw new CliError('unreachable', `${origin} does not answer with TLS.`, { hint, cause });
  } finally {
    socket.on('error', () => {}).destroy();
  }
}
