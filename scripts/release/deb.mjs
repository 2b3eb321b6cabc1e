// Packs a staged tree as a Debian package: the same bytes for the same tree and commit.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { debianVersion, maintainer } from './facts.mjs';
import { sumLine } from './sums.mjs';

const scripts = ['preinst', 'postinst', 'prerm', 'postrm'];

/** What machines need, on the architecture of the host. A controller without machines runs without it. */
const recommends = {
  amd64: 'libvirt-clients, libvirt-daemon-system, ovmf, qemu-system-x86, qemu-utils',
  arm64: 'libvirt-clients, libvirt-daemon-system, qemu-efi-aarch64, qemu-system-arm, qemu-utils',
};

/** dpkg counts KiB of each file, and one for each directory. */
function installedKiB(tree) {
  return readdirSync(tree, { recursive: true, withFileTypes: true })
    .map((entry) =>
      entry.isFile() ? Math.ceil(statSync(join(entry.parentPath, entry.name)).size / 1024) : 1,
    )
    .reduce((sum, size) => sum + size, 0);
}

/**
 * @param tree the staged files
 * @param options.compression `xz` for a release, `zstd` for tests: 4 times as fast, and 20 % larger
 * @returns the path of the package
 */
export function packDeb(tree, { source, architecture, version, epoch, compression, out }) {
  const facts = {
    version: debianVersion(version),
    architecture,
    installedKiB: String(installedKiB(tree)),
    recommends: recommends[architecture],
    maintainer,
  };
  const sums = sumsOf(tree);
  const control = join(tree, 'DEBIAN');
  mkdirSync(control);
  // By chmod, because the umask of the host limits the mode of a new file.
  chmodSync(control, 0o755);
  const put = (name, content, mode = 0o644) => {
    writeFileSync(join(control, name), content);
    chmodSync(join(control, name), mode);
  };
  const template = readFileSync(join(source, 'packaging/debian/control'), 'utf8');
  put(
    'control',
    template.replaceAll(/@(\w+)@/g, (_, name) => facts[name]),
  );
  put('md5sums', sums);
  put('conffiles', '/etc/wcc/wcc.env\n');
  for (const name of scripts) {
    const script = maintainerScript(source, name);
    if (script !== null) put(name, script, 0o755);
  }
  const file = join(out, `wcc_${facts.version}_${architecture}.deb`);
  const level = compression === 'xz' ? ['-Zxz', '-z6'] : ['-Zzstd', '-z1'];
  // With more threads, xz would cut the file into blocks by the number of processors.
  const options = ['--root-owner-group', '--threads-max=1', ...level];
  // dpkg-deb sets later times of files to SOURCE_DATE_EPOCH, and takes it for the archive.
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(epoch) };
  execFileSync('dpkg-deb', [...options, '--build', tree, file], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return file;
}

/** Our script; the actions of the service take the place of `#SERVICE#`. */
function maintainerScript(source, name) {
  const read = (path) => {
    const file = join(source, 'packaging', path);
    return existsSync(file) ? readFileSync(file, 'utf8') : null;
  };
  const service = read(`service/${name}`) ?? read(`debian/service/${name}`);
  const own = read(`debian/${name}`);
  if (own === null) return service;
  return own.replace('#SERVICE#\n', () => service?.replace(/^#!.*\n/, '') ?? '');
}

function sumsOf(tree) {
  return readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(tree.length + 1))
    .filter((path) => !path.startsWith('etc/'))
    .toSorted()
    .map((path) => sumLine('md5', tree, path))
    .join('');
}
