// System packages that the full test suite needs, each with its purpose.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Debian package → one of its programs or files. */
const packages = {
  chromium: 'chromium', // browser tests
  'qemu-utils': 'qemu-img', // real qcow2 images
  'qemu-system-x86': 'qemu-system-x86_64', // the QEMU driver
  'libvirt-daemon': 'libvirtd', // the libvirt driver, in session mode without a system daemon
  'libvirt-daemon-driver-qemu': '/usr/share/doc/libvirt-daemon-driver-qemu/copyright',
  'libvirt-clients': 'virsh',
  ovmf: '/usr/share/OVMF/OVMF_CODE_4M.fd', // machines with UEFI
  genisoimage: 'isoinfo', // reads first-boot data as an independent program
  xfsprogs: 'mkfs.xfs', // reflink on a loop mount
  'btrfs-progs': 'mkfs.btrfs', // reflink on a loop mount with btrfs
  'redis-server': 'redis-server', // the transport of the bridge between processes
  openssl: 'openssl', // certificates, as the server makes them
  iproute2: 'ip', // other hosts of a network
  curl: 'curl', // an independent client with pins
  systemd: '/usr/lib/systemd/systemd', // boots in namespaces of its own, with the units of the package
  procps: 'pgrep', // lists processes of a booted system
  mmdebstrap: 'mmdebstrap', // clean trees of Debian, in which a test installs the package
  strace: 'strace', // I/O errors at an offset, order of syncs
  python3: '/usr/bin/python3', // the Python client of examples/
  'golang-go': '/usr/bin/go', // the Go client of examples/
  ruby: 'ruby', // the Ruby publisher of examples/
  'python3-tuspy': '/usr/lib/python3/dist-packages/tusclient/__init__.py', // an independent tus client
};

/** A package that only some releases of Debian have; `chromium` serves too, with twice the CPU time. */
const optional = { 'chromium-headless-shell': 'chromium-headless-shell' };

/**
 * Installs missing packages with apt if this is Debian and the user is root. Otherwise prints their names.
 * @returns the packages that are still missing
 */
export function ensureSystemPackages() {
  let missing = findMissing(packages);
  const wanted = [...missing, ...findMissing(optional)];
  if (wanted.length === 0) return missing;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    apt(['update', '-qq']);
    const install = wanted.filter((name) => !(name in optional) || isKnownToApt(name));
    if (install.length > 0) {
      console.log(`Installing ${install.join(', ')} …`);
      apt(['install', '-y', '-qq', '--no-install-recommends', ...install]);
    }
    missing = findMissing(packages);
  }
  if (missing.length > 0) console.log(`The full test suite needs these packages: ${missing.join(', ')}`);
  return missing;
}

function findMissing(table) {
  return Object.keys(table).filter((name) => !hasProgram(table[name]));
}

function isKnownToApt(name) {
  return spawnSync('apt-cache', ['show', name], { stdio: 'ignore' }).status === 0;
}

function hasProgram(name) {
  if (name.startsWith('/')) return existsSync(name);
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.some((folder) => folder !== '' && existsSync(`${folder}/${name}`));
}

function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const result = spawnSync('apt-get', args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (result.status !== 0) console.error(`apt-get ${args.join(' ')} failed:\n${result.stderr}`);
}
