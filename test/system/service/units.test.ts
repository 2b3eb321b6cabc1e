import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSkipped } from '../../../packages/copy/src/testkit/skip.testkit.ts';

const folder = fileURLToPath(new URL('../../../packaging/service/', import.meta.url));
const units = readdirSync(folder).filter((name) => name.endsWith('.service'));
const highestExposure = 3.0;

const analyze = (args: readonly string[]): { status: number | null; output: string } => {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  return { status, output: stdout + stderr };
};
const whyNot =
  spawnSync('systemd-analyze', ['--version']).status === 0 ? null : 'systemd-analyze is not installed';

describe('the units of the package', () => {
  if (isSkipped(whyNot)) return;
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'wcc-units-'));
    for (const name of units) {
      // The command is installed by the package only.
      const text = readFileSync(folder + name, 'utf8').replaceAll('/usr/bin/wcc', process.execPath);
      writeFileSync(join(directory, name), text);
    }
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it('systemd-analyze verify finds nothing to say', () => {
    expect(units).toEqual(['wcc-guests.service', 'wcc.service']);
    const paths = units.map((name) => join(directory, name));
    expect(analyze(['verify', '--man=no', ...paths])).toEqual({ status: 0, output: '' });
    // The check would notice a wrong line.
    writeFileSync(join(directory, 'wrong.service'), '[Service]\nExecStart=/bin/true\nKilMode=process\n');
    expect(analyze(['verify', '--man=no', join(directory, 'wrong.service')]).output).toContain('KilMode');
  });

  it.each(units)('systemd-analyze security rates %s at most 3.0', (name) => {
    const { output } = analyze(['security', '--offline=yes', '--no-pager', join(directory, name)]);
    const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(output)?.[1]);
    expect(exposure, output).toBeLessThanOrEqual(highestExposure);
    expect(exposure).toBeGreaterThan(0);
  });

  it('the user of the service may use /dev/kvm and owns its directories', () => {
    const root = join(directory, 'root');
    mkdirSync(join(root, 'etc'), { recursive: true });
    execFileSync('systemd-sysusers', ['--root', root, '--replace=/usr/lib/sysusers.d/wcc.conf', '-'], {
      input: readFileSync(join(folder, 'sysusers.d/wcc.conf')),
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const read = (name: string): string => readFileSync(join(root, 'etc', name), 'utf8');
    expect(read('passwd')).toMatch(/^wcc:x:\d+:\d+:[^:]*:\/var\/lib\/wcc:\/usr\/sbin\/nologin$/m);
    expect(read('group')).toMatch(/^kvm:x:\d+:wcc$/m);
  });
});
