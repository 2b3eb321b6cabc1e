import { readFile, readdir, readlink } from 'node:fs/promises';

/** The QEMU process of a machine, also one that libvirt started; null when there is none. */
export async function findMachineProcess(uuid: string): Promise<number | null> {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const args = (await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (args[0]?.endsWith('qemu-system-x86_64') === true && args.includes(uuid)) return Number(name);
  }
  return null;
}

/** The open files of a process: paths, and `socket:[inode]`. */
export async function openFiles(pid: number): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/fd`);
  return Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
}

/** All listening TCP sockets, as `socket:[inode]`. */
export async function listeningSockets(): Promise<string[]> {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => ''));
  const lines = (await Promise.all(tables)).flatMap((table) => table.split('\n').slice(1));
  const fields = lines.map((line) => line.trim().split(/\s+/));
  // state 0A is LISTEN; the tenth column is the inode
  return fields.filter((field) => field[3] === '0A').map((field) => `socket:[${field[9]}]`);
}
