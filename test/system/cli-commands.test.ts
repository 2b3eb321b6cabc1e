import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Snapshot } from '@wcc/progress';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { terminalLines, runCli, startCli } from '../kit/cli.ts';
import { waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';

const mebibyte = 1_048_576;
let server: TestServer;

beforeAll(async () => {
  // The source of the import is on this host.
  server = await startServer({ args: ['--import-allow', '127.0.0.1/32'] });
  const { operation } = await server.api.makeSampleImage({ name: 'sample.raw', sizeBytes: 64 * mebibyte });
  await waitForState(server, operation.id, { states: ['succeeded'] });
});
afterAll(() => server.close());

/** Computes the width on a terminal: names in this test are wide, all other text is narrow. */
const columnsOf = (text: string): number =>
  Array.from(text, (character): number => (character > '\u2e80' ? 2 : 1)).reduce(
    (sum, width) => sum + width,
    0,
  );
/** Options that make a copy slow, so that a command can watch the copy. */
const slowly = ['--method', 'copy', '--limit', '8M'];
const idIn = (text: string): string => /[a-z2-7]{26}/.exec(text)?.[0] ?? '';

async function startSlowCopy(name: string): Promise<string> {
  const { stdout } = await runCli(['image', 'copy', 'sample.raw', name, ...slowly, '--detach'], { server });
  return stdout.trim();
}

describe('list commands', () => {
  it('list commands print tables for people and one JSON document for programs', async () => {
    const { stdout } = await runCli(['image', 'ls'], { server });
    expect(stdout).toMatch(
      /^ID +NAME +FORMAT +SIZE +ON DISK +STATE\n\d+ +sample\.raw +raw +64\.0 MiB +\S+ MiB +ready\n$/,
    );
    const listed = JSON.parse((await runCli(['image', 'ls', '--json'], { server })).stdout);
    expect(listed.items).toHaveLength(1);
    expect(listed.items[0]).toMatchObject({ name: 'sample.raw', format: 'raw' });
    const { id } = listed.items[0] as { id: number };
    const byName = await runCli(['image', 'show', 'sample.raw', '--json'], { server });
    expect(byName.stdout).toBe((await runCli(['image', 'show', String(id), '--json'], { server })).stdout);
    const operations = await runCli(['op', 'ls', '--state', 'succeeded'], { server });
    expect(operations.stdout).toMatch(/Make sample image +sample\.raw +admin-token +Done in/);
    const log = await runCli(['op', 'log', idIn(operations.stdout)], { server });
    expect(log.stdout).toContain('succeeded');
  });
});

describe('wcc image copy', () => {
  it('prints plain lines without a terminal, and the image at the end', async () => {
    const copy = await runCli(['image', 'copy', 'sample.raw', 'lines.raw', ...slowly], { server });
    expect(copy.code).toBe(0);
    expect(copy.stdout).toMatch(/^sample\.raw → lines\.raw \(image \d+\): Done in .*written\n$/);
    const lines = copy.stderr.trimEnd().split('\n');
    expect(lines.some((line) => /^sample\.raw → lines\.raw: +\d+\.\d % .*Copying data/.test(line))).toBe(
      true,
    );
    expect(copy.stderr).not.toContain('\u001b');
    // The copy takes about 8 s: one line for each phase and one every five seconds, instead of 80 lines.
    expect(lines.length).toBeLessThan(20);
  });

  it('redraws one line on a terminal, never wider than the terminal', async () => {
    const copy = startCli(['image', 'copy', 'sample.raw', '漢字の長い名前のイメージ.raw', ...slowly], {
      server,
      terminal: { columns: 70 },
    });
    const end = await copy.result;
    expect(end.code).toBe(0);
    expect(end.stdout).toContain('\u001b[32m');
    const lines = terminalLines(end.stdout);
    const bars = lines.filter((line) => line.includes('%'));
    expect(bars.length).toBeGreaterThan(10);
    const wide = bars.map(columnsOf);
    expect(Math.max(...wide)).toBeLessThanOrEqual(69);
    expect(bars.some((line) => line.includes('━'))).toBe(true);
    const percentages = bars.map((line) => Number(/(\d+\.\d) %/.exec(line)?.[1]));
    expect(percentages).toEqual(percentages.toSorted((a, b) => a - b));
    expect(Math.max(...percentages)).toBeLessThan(100);
    expect(lines.at(-1)).toMatch(/Done in/);
  });

  it('prints no colour with NO_COLOR, no bar with TERM=dumb, and ASCII in the C locale', async () => {
    const terminal = { columns: 100 };
    const grey = startCli(['image', 'copy', 'sample.raw', 'grey.raw', ...slowly], {
      server,
      terminal,
      env: { NO_COLOR: '1', LANG: 'C' },
    });
    const dumb = startCli(['image', 'copy', 'sample.raw', 'dumb.raw', ...slowly], {
      server,
      terminal,
      env: { TERM: 'dumb' },
    });
    const [first, second] = await Promise.all([grey.result, dumb.result]);
    expect(first.stdout).not.toContain('\u001b[32m');
    expect(first.stdout).not.toContain('\u001b[0m');
    expect(first.stdout).toContain('##');
    const drawn = terminalLines(first.stdout).filter((line) => line.includes('%'));
    expect(drawn.filter((line) => Array.from(line).some((character) => character > '~'))).toEqual([]);
    expect(second.stdout).not.toContain('\u001b');
    expect(second.code).toBe(0);
  });

  it('prints one JSON line for each record, the last one terminal', async () => {
    const { code, stdout, stderr } = await runCli(['image', 'copy', 'sample.raw', 'json.raw', '--json'], {
      server,
    });
    expect(code).toBe(0);
    expect(stderr).toBe('');
    const records = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Snapshot);
    expect(records.at(-1)).toMatchObject({ state: 'succeeded', action: 'copy_vm_image' });
    const { id } = records[0]!;
    expect(await server.api.operation(id)).toMatchObject(records.at(-1)!);
    const again = await runCli(['op', 'watch', id, '--json'], { server });
    expect(JSON.parse(again.stdout)).toMatchObject({ id, state: 'succeeded' });
  });
});

describe('an import', () => {
  it('wcc image import fetches a URL and compares the digest', async () => {
    const bytes = randomBytes(2 * mebibyte);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const asked: string[] = [];
    const source = createServer((request, response) => {
      asked.push(request.headers.authorization ?? 'no credentials');
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    });
    await once(source.listen(0, '127.0.0.1'), 'listening');
    try {
      const address = `http://127.0.0.1:${(source.address() as AddressInfo).port}/made%20here.raw`;
      const end = await runCli(['image', 'import', address, '--sha256', sha256], { server });
      expect(end).toMatchObject({ code: 0 });
      expect(end.stdout).toMatch(/made here\.raw.* \(image \d+\): Done in /);
      expect(await readFile(join(server.poolDir, 'made here.raw'))).toEqual(bytes);
      const other = ['--name', 'other.raw', '--sha256', '0'.repeat(64)];
      const refused = await runCli(['image', 'import', address, ...other, '--json'], { server });
      expect(refused).toMatchObject({ code: 1 });
      expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'digest_mismatch' } });
      expect(await runCli(['image', 'show', 'other.raw'], { server })).toMatchObject({ code: 4 });
      expect(new Set(asked)).toEqual(new Set(['no credentials']));
    } finally {
      source.close();
    }
  });
});

describe('wcc op', () => {
  it('leaves an operation running after Ctrl-C, then pauses, resumes and cancels it', async () => {
    const copy = startCli(['image', 'copy', 'sample.raw', 'left.raw', '--method', 'copy', '--limit', '1M'], {
      server,
    });
    const running = await until(async () => (await server.api.operations({ state: 'running' })).items[0], {
      what: 'the copy to run',
    });
    await until(() => copy.stderr !== '', { what: 'the command to watch' });
    copy.kill('SIGINT');
    const end = await copy.result;
    expect(end).toMatchObject({ code: 130 });
    expect(end.stderr).toContain('The work on the server continues');
    expect(end.stderr).toContain(`wcc op cancel ${running.id}`);
    expect((await server.api.operation(running.id)).state).toBe('running');

    expect(await runCli(['op', 'pause', running.id], { server })).toMatchObject({ code: 0 });
    await waitForState(server, running.id, { states: ['paused'] });
    expect(await runCli(['op', 'resume', running.id], { server })).toMatchObject({ code: 0 });
    const watch = startCli(['op', 'watch', running.id], { server });
    await until(() => watch.stderr !== '', { what: 'the second command to watch' });
    expect(await runCli(['op', 'cancel', running.id], { server })).toMatchObject({
      code: 0,
      stdout: 'Cancelled\n',
    });
    expect(await watch.result).toMatchObject({ code: 6 });
    expect((await server.api.operation(running.id)).state).toBe('cancelled');
  });

  it('watches an operation through a server restart', async () => {
    const id = await startSlowCopy('restart.raw');
    // A slow copy still runs when the command watches it on a busy machine.
    await server.api.pause(id);
    const watch = startCli(['op', 'watch', id], { server });
    await until(() => watch.stderr !== '', { what: 'the command to watch' });
    await server.api.resume(id);
    await until(() => watch.stderr.includes('%'), { what: 'the first numbers' });
    await server.kill();
    await until(() => watch.stderr.includes('no connection to the server'), {
      what: 'the lost connection to be reported',
    });
    await server.start();
    const end = await watch.result;
    expect(end).toMatchObject({ code: 0 });
    expect(end.stdout).toContain('Done in');
  });

  it('stops watching when the server stays unreachable', async () => {
    const id = await startSlowCopy('away.raw');
    const watch = startCli(['op', 'watch', id, '--give-up-after', '2s'], { server });
    await until(() => watch.stderr !== '', { what: 'the command to watch' });
    await server.kill();
    expect(await watch.result).toMatchObject({ code: 5 });
    await server.start();
    await runCli(['op', 'cancel', id], { server });
  });
});

describe('command errors', () => {
  it('each have an exit code and a message', async () => {
    expect(await runCli(['image', 'show', '99999'], { server })).toMatchObject({ code: 4 });
    expect(await runCli(['image', 'show', 'nothing.raw'], { server })).toMatchObject({ code: 4 });
    expect(await runCli(['image', 'copy', 'sample.raw', 'sample.raw'], { server })).toMatchObject({
      code: 1,
    });
    expect(await runCli(['image', 'copy', 'sample.raw'], { server })).toMatchObject({ code: 2 });
    expect(await runCli(['nonsense'], { server })).toMatchObject({ code: 2 });
    expect(await runCli(['image', 'ls', '--limit', '0'], { server })).toMatchObject({ code: 2 });
    const json = await runCli(['image', 'show', '99999', '--json'], { server });
    expect(JSON.parse(json.stderr)).toEqual({
      error: { code: 'not_found', message: expect.any(String), hint: expect.any(String) },
    });
  });
});

describe('wcc serve', () => {
  it('wcc serve passes flags to the server and returns its exit code', async () => {
    const help = await runCli(['serve', '--help']);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('--data-dir');
    expect(await runCli(['serve', '--port', 'many'])).toMatchObject({ code: 2 });
  });
});
