import { copyFileSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { chmodSync, chownSync, closeSync, constants, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { until } from './poll.ts';

/** Programs that the server runs by absolute path and that a test can block before they start their work. */
export interface BlockingTools {
  /** Command prefix for the server that mounts the blocking programs over the system's. */
  readonly launcher: readonly string[];
  /** Blocks later runs of the program at their start if one of their arguments equals `argument`. */
  block(tool: string, argument: string): void;
  /** Waits for a blocked program. @returns its process id */
  waitForBlocked(): Promise<number>;
  /** Lets blocked programs continue and later runs pass. */
  release(): void;
}

/** Why programs cannot be replaced on this host, or `null`. Skipped tests print the reason. */
export function blockingToolsSkipReason(): string | null {
  if (process.getuid?.() !== 0) return 'mounts that replace programs need root';
  return existsSync('/usr/bin/unshare') && existsSync('/usr/bin/setpriv') ? null : 'util-linux is missing';
}

/** @param identity user and group of the server; `null` keeps the current ones */
export function makeBlockingTools(
  home: string,
  tools: readonly string[],
  identity: { uid: number; gid: number } | null,
): BlockingTools {
  const root = join(home, 'tools');
  mkdirSync(join(root, 'bin'), { recursive: true });
  // QEMU looks for its firmware beside itself.
  for (const name of ['share', 'lib']) symlinkSync(`/usr/${name}`, join(root, name));
  const [gatePath, blockedPidPath] = [join(root, 'gate'), join(root, 'blocked')];
  execFileSync('mkfifo', [gatePath]);
  chmodSync(gatePath, 0o666);
  if (identity !== null) chownSync(root, identity.uid, identity.gid);
  for (const tool of tools) {
    copyFileSync(`/usr/bin/${tool}`, join(root, 'bin', tool));
    writeFileSync(join(root, tool), waitingScript(root, tool), { mode: 0o755 });
  }
  const mounts = tools.map((tool) => `mount --bind ${join(root, tool)} /usr/bin/${tool} && `);
  const dropPrivileges =
    identity === null
      ? []
      : ['/usr/bin/setpriv', `--reuid=${identity.uid}`, `--regid=${identity.gid}`, '--clear-groups', '--'];
  const inPrivateMounts = ['/usr/bin/unshare', '--mount', '--propagation', 'private', '/bin/sh', '-c'];
  const blockPaths: string[] = [];
  return {
    launcher: [...inPrivateMounts, `${mounts.join('')}exec "$@"`, 'sh', ...dropPrivileges],
    block(tool, argument) {
      rmSync(blockedPidPath, { force: true });
      const path = join(root, `${tool}.${argument}.block`);
      writeFileSync(path, '');
      blockPaths.push(path);
    },
    waitForBlocked: () =>
      until(() => existsSync(blockedPidPath) && Number(readFileSync(blockedPidPath, 'utf8')), {
        what: 'a program to be blocked',
      }),
    release() {
      for (const path of blockPaths.splice(0)) rmSync(path, { force: true });
      // Opening both ends of the pipe does not block, and unblocks a program that waits to open it.
      closeSync(openSync(gatePath, constants.O_RDWR | constants.O_NONBLOCK));
      rmSync(blockedPidPath, { force: true });
    },
  };
}

function waitingScript(root: string, tool: string): string {
  return `#!/bin/bash
for argument in "$@"; do
  if [[ "$argument" != */* && -e "${root}/${tool}.$argument.block" ]]; then
    echo $$ > "${root}/blocked.new" && mv "${root}/blocked.new" "${root}/blocked"
    read -r < "${root}/gate"
  fi
done
exec "${root}/bin/${tool}" "$@"
`;
}
