import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DoctorCheck, DoctorReport } from '@wcc/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../kit/cli.ts';
import type { CliResult } from '../../kit/cli.ts';
import { startServer } from '../../kit/server.ts';
import type { TestServer } from '../../kit/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ args: ['--hypervisor', 'qemu'] });
});
afterAll(() => server.close());

function doctor(...options: string[]): Promise<CliResult> {
  const places = ['--data-dir', server.dataDir, '--pool', server.poolDir];
  return runCli(['doctor', ...places, '--hypervisor', 'qemu', ...options]);
}

function find({ checks }: DoctorReport, id: DoctorCheck['id']): DoctorCheck | undefined {
  return checks.find((check) => check.id === id);
}

describe('wcc doctor', () => {
  it('checks a running server, and finds the same as the server itself', async () => {
    const { code, stdout, stderr } = await doctor('--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(stdout) as DoctorReport;
    expect(find(report, 'server')).toMatchObject({ code: 'server_running', parameters: { pid: server.pid } });
    for (const id of ['data_directory', 'data_files', 'database', 'audit', 'pool', 'pool_lock'] as const)
      expect(find(report, id), id).toMatchObject({ state: 'ok' });
    expect(report.checks.filter((check) => check.code.startsWith('check_'))).toEqual([]);
    const own = await server.api.doctor();
    expect(own.checks.map(({ id, code: found }) => [id, found])).toEqual(
      report.checks.map(({ id, code: found }) => [id, found]),
    );
  });

  it('changes nothing without a server, and ends with 1 for a failed check', async () => {
    await server.stop();
    const names = readdirSync(server.dataDir, { recursive: true });
    expect((await doctor()).stdout).toMatch(/^ok +Server +No server uses the data directory/m);
    expect(readdirSync(server.dataDir, { recursive: true })).toEqual(names);
    const file = join(server.dataDir, 'secrets.key');
    chmodSync(file, 0o644);
    const failed = await doctor();
    expect(failed).toMatchObject({ code: 1, stderr: 'wcc: 1 check failed: data_files.\n' });
    expect(failed.stdout).toContain(`Remove that permission: chmod go-rwx ${file}`);
  });

  it('refuses an unknown option, and names a wrong setting with what to do', async () => {
    expect(await doctor('--port', '1')).toMatchObject({ code: 2, stdout: '' });
    const { code, stdout } = await doctor('--tls-cert', '/nonexistent');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^failed +Configuration +The server cannot start \(tls_unreadable\)/m);
  });
});
