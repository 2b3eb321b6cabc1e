import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bootSystemd, nodeInTree, repositoryInTree } from './boot.ts';
import type { BootedSystem } from './boot.ts';

const folder = fileURLToPath(new URL('../../../packaging/service/', import.meta.url));
const read = (name: string): string => readFileSync(folder + name, 'utf8');

export interface ServiceOptions {
  /** Lines of a drop-in of wcc.service, for example `[Service]` and `WatchdogSec=2s`. @default none */
  dropIn?: string;
  /** More files, by their path in the system. @default none */
  files?: Readonly<Record<string, string>>;
}

export const adminToken = 'a-token-of-automation-0123456789abcdef';

/** Files with which a system runs the units of the package and the bundles of this repository. */
export function serviceFiles({ dropIn, files = {} }: ServiceOptions = {}): Record<string, string> {
  return {
    '/etc/systemd/system/wcc.service': read('wcc.service'),
    '/etc/systemd/system/wcc-guests.service': read('wcc-guests.service'),
    '/etc/sysusers.d/wcc.conf': read('sysusers.d/wcc.conf'),
    '/etc/tmpfiles.d/wcc.conf': read('tmpfiles.d/wcc.conf'),
    '/etc/systemd/system/wcc.service.d/test.conf': `[Service]\nEnvironment=WCC_ADMIN_TOKEN=${adminToken} WCC_IMPORT_ALLOW=127.0.0.0/8 WCC_FREE_SPACE_FLOOR=0 WCC_EMERGENCY_FLOOR=0 WCC_HYPERVISOR=qemu\n`,
    ...(dropIn === undefined ? {} : { '/etc/systemd/system/wcc.service.d/test-more.conf': dropIn }),
    '/usr/bin/wcc': `#!/bin/sh\nexec ${nodeInTree} ${repositoryInTree}/packages/cli/bundle/main.js "$@"\n`,
    ...files,
  };
}

/** Boots a system with the service. */
export function bootService(options: ServiceOptions = {}): Promise<BootedSystem> {
  return bootSystemd({ files: serviceFiles(options), units: ['wcc.service'] });
}

/** Runs the command `wcc` inside as an administrator. @returns its JSON */
export async function wccInside(system: BootedSystem, ...args: readonly string[]): Promise<unknown> {
  const variables = [`WCC_URL=http://127.0.0.1:8400`, `WCC_TOKEN=${adminToken}`];
  const output = await system.run('env', ...variables, 'wcc', ...args, '--json');
  const lines = output.trim().split('\n');
  return JSON.parse(output.trim().startsWith('{\n') ? output : (lines.at(-1) ?? 'null')) as unknown;
}

/** A property of a unit, as systemd sees it now. */
export async function property(system: BootedSystem, unit: string, name: string): Promise<string> {
  return (await system.run('systemctl', 'show', '--value', `--property=${name}`, unit)).trim();
}
