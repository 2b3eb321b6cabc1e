import { createPublicKey } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DoctorCheck, DoctorCheckId } from '@wcc/api';
import { doctorFindings } from '@wcc/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runDoctor } from '../doctor.ts';
import { makeCertificate, makeFiles, makePrograms, settingsOf } from './doctor.testkit.ts';
import type { CheckOptions } from './doctor.testkit.ts';
import { examine } from './examine.ts';
import { isOlder } from './hypervisor.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'wcc-doctor-host-'));
});
afterAll(() => rmSync(home, { recursive: true }));

async function check(id: DoctorCheckId, { settings, ...options }: CheckOptions = {}): Promise<DoctorCheck> {
  const all = { ...settingsOf({ dataDir: join(home, 'data'), pool: join(home, 'pool') }), ...settings };
  const [found] = (await examine({ ...options, settings: all, only: [id] })).checks;
  if (found === undefined) throw new Error(`no check ${id}`);
  return found;
}

describe('doctor: KVM and QEMU', () => {
  it('names the cause of a missing /dev/kvm: no virtualization, or no module', async () => {
    const kvm = join(home, 'no-kvm');
    const with_ = (flags: string): string => makeFiles(home, { cpuinfo: `flags\t\t: fpu ${flags} sse\n` });
    const programs = makePrograms(home, { 'qemu-system-x86_64': 'exit 1' });
    const options = (flags: string): CheckOptions => ({ places: { kvm, proc: with_(flags), programs } });
    expect(await check('kvm', options('vme'))).toMatchObject({ code: 'kvm_no_processor', state: 'warning' });
    expect(await check('kvm', options('vmx'))).toMatchObject({
      code: 'kvm_no_device',
      parameters: { device: kvm },
    });
  });

  it('does not take a file for a working KVM: no guest boots', async () => {
    const kvm = join(home, 'kvm');
    writeFileSync(kvm, '');
    const programs = makePrograms(home, {
      'qemu-system-x86_64': 'echo "failed to initialize kvm" >&2; exit 1',
    });
    expect(await check('kvm', { places: { kvm, programs } })).toMatchObject({
      code: 'kvm_broken',
      parameters: { reason: 'failed to initialize kvm' },
    });
  });

  it('names the packages of programs that are missing', async () => {
    const programs = makePrograms(home, {});
    expect(await check('qemu', { places: { programs } })).toMatchObject({
      state: 'failed',
      code: 'qemu_missing',
      advice: 'Install them: apt install qemu-system-x86 qemu-utils',
    });
    expect(await check('kvm', { places: { programs } })).toMatchObject({ code: 'needs_qemu' });
    expect(await check('programs', { places: { programs } })).toMatchObject({
      code: 'programs_missing',
      parameters: { packages: 'util-linux openssl' },
    });
  });

  it('finds a QEMU that does not start, and an old one', async () => {
    const broken = makePrograms(home, {
      'qemu-system-x86_64': 'echo "libslirp.so.0: cannot open" >&2; exit 127',
      'qemu-img': 'echo "qemu-img version 7.2.9"',
    });
    expect(await check('qemu', { places: { programs: broken } })).toMatchObject({
      code: 'qemu_broken',
      parameters: { program: 'qemu-system-x86_64', reason: 'libslirp.so.0: cannot open' },
    });
    const old = makePrograms(home, {
      'qemu-system-x86_64': 'echo "QEMU emulator version 5.2.0 (Debian)"',
      'qemu-img': 'echo "qemu-img version 5.2.0 (Debian)"',
    });
    expect(await check('qemu', { places: { programs: old } })).toMatchObject({ code: 'qemu_old' });
    expect([isOlder('7.10.1', '7.2'), isOlder('7.2', '7.2'), isOlder('6.9', '7.2')]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('fails without virsh when the server must use libvirt', async () => {
    const settings = { hypervisor: { driver: 'libvirt', environment: {} } } as const;
    const places = { programs: makePrograms(home, {}) };
    expect(await check('libvirt', { settings, places })).toMatchObject({ code: 'libvirt_missing' });
    expect(await check('libvirt')).toMatchObject({ code: 'libvirt_unused', state: 'skipped' });
  });
});

describe('doctor: the system', () => {
  it('knows little memory and few open files', async () => {
    const limits = (limit: string): string =>
      `Limit  Soft\nMax open files            ${limit}    524288   files\n`;
    const meminfo = 'MemTotal:       1048576 kB\nMemAvailable:     65536 kB\n';
    const small = makeFiles(home, { meminfo, 'self/limits': limits('1024'), locks: '' });
    expect(await check('memory', { places: { proc: small } })).toMatchObject({
      code: 'memory_low',
      found: '64.0 MiB of 1.0 GiB are available.',
    });
    expect(await check('open_files', { places: { proc: small } })).toMatchObject({
      code: 'open_files_low',
      parameters: { limit: '1024' },
    });
    const free = makeFiles(home, { 'self/limits': limits('unlimited'), locks: '' });
    expect(await check('open_files', { places: { proc: free } })).toMatchObject({
      code: 'open_files_enough',
    });
  });

  it('tries the kernel calls, and the memory and files of this host', async () => {
    expect(await check('kernel')).toMatchObject({ code: 'kernel_ready', state: 'ok' });
    expect(await check('programs')).toMatchObject({ code: 'programs_ready' });
  });

  it.each([
    ['clock_synchronised', { timedatectl: 'echo yes' }],
    ['clock_unsynchronised', { timedatectl: 'echo no' }],
    ['clock_unsynchronised', { timedatectl: 'exit 1', chronyc: 'echo "Leap status     : Not synchronised"' }],
    ['clock_synchronised', { chronyc: 'echo "Leap status     : Normal"' }],
    ['clock_unknown', {}],
  ] as const)('%s: %j', async (code, scripts) => {
    const programs = makePrograms(home, scripts);
    expect(await check('clock', { places: { programs } })).toMatchObject({ code });
  });
});

/** The certificate again, but it ended yesterday. */
function ended({ cert, key }: { cert: string; key: string }): { cert: string; key: string } {
  const directory = makeFiles(home, { cert, key });
  const file = (name: string): string => join(directory, name);
  const args = ['x509', '-in', file('cert'), '-signkey', file('key'), '-days', '-1', '-out', file('ended')];
  execFileSync('openssl', args, { stdio: 'pipe' });
  return { cert: readFileSync(file('ended'), 'utf8'), key };
}

describe('doctor: the certificate', () => {
  it('is valid, ends soon, has ended, or is for another name or key', async () => {
    const host = '192.0.2.7';
    const good = makeCertificate(home, { names: 'DNS:wcc.example.org,IP:192.0.2.7', days: 90 });
    const soon = makeCertificate(home, { names: 'IP:192.0.2.7', days: 10 });
    const judge = async (tls: { cert: string; key: string }, publicUrl: string | null = null) =>
      (await check('certificate', { settings: { tls, publicUrl, host } })).code;
    expect(await judge(good)).toBe('certificate_valid');
    expect(await judge(good, 'https://wcc.example.org:8443')).toBe('certificate_valid');
    expect(await judge(good, 'https://other.example.org')).toBe('certificate_other_name');
    expect(await judge(soon)).toBe('certificate_ends_soon');
    expect(await judge({ ...good, key: soon.key })).toBe('certificate_other_key');
    expect(await judge(ended(good))).toBe('certificate_ended');
    const key = createPublicKey(good.key).export({ type: 'spki', format: 'pem' }).toString();
    expect(await judge({ cert: key, key: good.key })).toBe('certificate_broken');
  });

  it('is not needed on loopback or behind a proxy, and made by the first start elsewhere', async () => {
    const own = { host: '0.0.0.0', ownCertificate: true };
    expect(await check('certificate', { settings: own })).toMatchObject({ code: 'certificate_new' });
    const { cert, key } = ended(makeCertificate(home, { names: 'DNS:wcc', days: 1 }));
    const dataDir = makeFiles(home, { 'tls/cert.pem': cert, 'tls/key.pem': key });
    expect(await check('certificate', { settings: { ...own, dataDir } })).toMatchObject({
      code: 'certificate_ended',
    });
    expect(await check('certificate')).toMatchObject({ code: 'certificate_none' });
    expect(await check('certificate', { settings: { behindTlsProxy: true } })).toMatchObject({
      code: 'certificate_proxy',
    });
  });
});

describe('doctor: the whole report', () => {
  it('checks the rest of the host when the settings are not valid', async () => {
    const flags = { 'data-dir': join(home, 'data'), host: '0.0.0.0', 'tls-cert': '/nonexistent' };
    const report = await runDoctor({ flags, file: null, environment: {} });
    const [configuration] = report.checks;
    expect(report.state).toBe('failed');
    expect(configuration).toMatchObject({ code: 'settings_invalid', parameters: { code: 'tls_unreadable' } });
    expect(report.checks.map(({ code }) => code)).toContain('certificate_unknown');
    expect(report.checks.filter(({ code }) => code === 'check_broken')).toEqual([]);
  });

  it('every text is whole: each result that needs something says what to do', () => {
    for (const [code, { state, found, advice }] of Object.entries(doctorFindings)) {
      expect(found, code).not.toBe('');
      if (state === 'failed' || state === 'warning') expect(advice, code).not.toBeNull();
    }
  });
});
