import { spawn } from 'node:child_process';
import { describe, expect, it, vi } from 'vitest';
import { dist, runOnPty, screenOf } from './pty.testkit.ts';
import type { PtyProgram } from './pty.testkit.ts';

const hidden = '\u001b[?25l';
const shown = '\u001b[?25h';

const twoOperations = `
const hub = server.createHub();
const start = (name, total) =>
  hub.start({ action: 'bake_bread', subject: { kind: 'bread', id: 1, name }, owner: 'u', total, unit: 'steps' });
const [first, second] = [start('rye', 40), start('wheat', 10)];
const view = renderTerminal(hub, { stream: process.stdout });
`;

/** The newest picture before the program clears it. */
const pictures = (program: PtyProgram): string[][] =>
  program.output.split('\r').map((_, index, parts) => screenOf(parts.slice(0, index + 1).join('\r')));

async function seen(program: PtyProgram, pattern: RegExp): Promise<void> {
  await vi.waitFor(() => expect(screenOf(program.output).join('\n')).toMatch(pattern), { timeout: 10_000 });
}

describe('renderTerminal on a terminal', () => {
  it('shows a bar for each operation of a hub, and one lasting line at the end of each', async () => {
    const program = runOnPty(`${twoOperations}
first.add(12); second.add(5);
await sleep(1400);
first.add(28); first.succeed();
await sleep(300);
second.fail(Object.assign(new Error('The oven is cold.'), { hint: 'Heat it.' }));
await sleep(300);
view.close();
`);
    await seen(
      program,
      /rye +━+─+ +30\.0 % Working · 12 of 40 steps.*\nwheat +━+─+ +50\.0 % Working · 5 of 10 steps/,
    );
    expect(await program.exit).toBe(0);
    const last = screenOf(program.output);
    expect(last[0]).toMatch(/^Bake bread rye: Done in \d+(\.\d)? s$/);
    expect(last[1]).toBe('Bake bread wheat: Failed · The oven is cold. · Heat it.');
    expect(last.slice(2).join('')).toBe('');
    expect(program.output).toContain('\u001b[32m');
  });

  it('hides the cursor while bars are shown, and shows it after close, a signal and an uncaught error', async () => {
    const endings = [
      { script: 'await sleep(200); view.close();', exit: 0 },
      {
        script: `await sleep(100); process.stdout.write('ready'); await sleep(20000);`,
        signal: 'SIGINT',
        exit: -2,
      },
      {
        script: `await sleep(100); process.stdout.write('ready'); await sleep(20000);`,
        signal: 'SIGTERM',
        exit: -15,
      },
      { script: `await sleep(200); throw new Error('of the program');`, exit: 1 },
      { script: 'await sleep(200); process.exit(3);', exit: 3 },
      {
        script: `process.on('SIGINT', () => process.exit(7)); process.stdout.write('ready'); await sleep(20000);`,
        signal: 'SIGINT',
        exit: 7,
      },
    ] as const;
    await Promise.all(
      endings.map(async ({ script, exit, ...more }) => {
        const program = runOnPty(`${twoOperations}${script}`);
        if ('signal' in more) {
          await vi.waitFor(() => expect(program.output).toContain('ready'), { timeout: 10_000 });
          program.signal(more.signal);
        }
        expect(await program.exit).toBe(exit);
        expect(program.output).toContain(hidden);
        expect(program.output.lastIndexOf(shown)).toBeGreaterThan(program.output.lastIndexOf(hidden));
      }),
    );
  });

  it('leaves the work alone when the reader of its output leaves', async () => {
    const program = `import { createHub } from '${dist}server/index.js';
      import { renderTerminal } from '${dist}terminal/index.js';
      const hub = createHub();
      const op = hub.start({ action: 'bake_bread', owner: 'u', total: 40 });
      renderTerminal(op);
      for (let at = 0; at < 40; at += 1) { op.phase('part_' + at, 1); await new Promise((done) => setTimeout(done, 20)); }
      op.succeed();
      console.log('the work is done');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.once('data', () => child.stderr.destroy());
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
    expect(output).toContain('the work is done');
  });

  it('fits its lines into a narrow terminal, and redraws them when the width changes', async () => {
    const program = runOnPty(
      `${twoOperations}
first.add(12); second.add(5);
process.stdout.on('resize', () => view.print('resized'));
await sleep(20000);
`,
      { columns: 100 },
    );
    await seen(program, /rye +━+─+ +30\.0 % Working/);
    const before = program.output.length;
    program.resize(30, 10);
    await vi.waitFor(() => expect(program.output.slice(before)).toContain('resized'), { timeout: 10_000 });
    await vi.waitFor(() => expect(program.output.slice(before)).toMatch(/wheat/), { timeout: 10_000 });
    program.signal('SIGINT');
    await program.exit;
    const after = screenOf(program.output.slice(before)).filter((line) => line !== '');
    expect(after.length).toBeGreaterThan(2);
    expect(Math.max(...after.map((line) => line.length))).toBeLessThanOrEqual(29);
  });

  it('shows as many operations as fit, and the number of the others', async () => {
    const program = runOnPty(
      `const hub = server.createHub();
for (let index = 0; index < 30; index += 1)
  hub.start({ action: 'bake_bread', title: 'Bread ' + index, owner: 'u', total: 10 });
const view = renderTerminal(hub, { stream: process.stdout });
await sleep(500);
`,
      { rows: 8 },
    );
    await program.exit;
    const most = pictures(program).reduce((one, other) => (other.length > one.length ? other : one));
    expect(most.length).toBe(7);
    expect(most.at(-1)).toBe('… +24');
  });

  it('prints no colour with NO_COLOR, and no character beyond ASCII without a UTF-8 locale', async () => {
    const script = `${twoOperations}first.add(12); await sleep(300); view.close();`;
    const [plain, ascii] = [
      runOnPty(script, { env: { NO_COLOR: '1' } }),
      runOnPty(script, { env: { LC_ALL: 'C' } }),
    ];
    await Promise.all([plain.exit, ascii.exit]);
    // oxlint-disable-next-line no-control-regex -- colours
    expect(plain.output).not.toMatch(/\u001b\[\d*m/);
    expect(plain.output).toContain('━');
    expect(ascii.output).toContain('###');
    // oxlint-disable-next-line no-control-regex -- ASCII
    expect(ascii.output).toMatch(/^[\u0000-\u007f]*$/);
  });

  it('replaces control characters of names, so that a name cannot move the cursor', async () => {
    const program = runOnPty(`const hub = server.createHub();
const op = hub.start({ action: 'a', title: 'evil\\u001b[2J\\rname', owner: 'u' });
const view = renderTerminal(op, { stream: process.stdout });
await sleep(200); op.succeed(); await view.finished;
`);
    await program.exit;
    expect(program.output).not.toContain('\u001b[2J');
    expect(screenOf(program.output)[0]).toMatch(/^evil\ufffd\[2J\ufffdname: Done in/);
  });
});

describe('renderTerminal of one source', () => {
  it('ends with a handle, with snapshots to iterate over, and with the progress of a copy', async () => {
    const program = runOnPty(`const hub = server.createHub();
const stream = process.stdout;
const op = hub.start({ action: 'bake_bread', title: 'Handle', owner: 'u', total: 4 });
const handle = renderTerminal(op, { stream });
op.add(2); await sleep(250); op.add(2); op.succeed();
await handle.finished;
async function* snapshots() {
  for (const state of ['queued', 'running', 'succeeded']) { yield { id: 'x', state, action: 'mix_dough' }; await sleep(150); }
}
await renderTerminal(snapshots(), { stream }).finished;
async function* copy() {
  for (let done = 0; done <= 10; done += 5) {
    yield { phase: 'transfer', state: done === 10 ? 'ended' : 'running', doneBytes: done * 1048576, totalBytes: 10485760,
      elapsedMs: done * 300, phaseElapsedMs: done * 300, sinceProgressMs: 0 };
    await sleep(250);
  }
}
await renderTerminal(copy(), { stream, title: 'disk.raw' }).finished;
async function* broken() { yield { id: 'y', state: 'running', action: 'fail' }; throw new Error('source lost'); }
await renderTerminal(broken(), { stream }).finished.catch((error) => console.log(error.message));
`);
    await seen(program, /disk\.raw +━+─+ +50\.0 % .*5\.0 of 10\.0 MiB/);
    expect(await program.exit).toBe(0);
    const lines = screenOf(program.output);
    expect(lines[0]).toMatch(/^Handle: Done in /);
    expect(lines[1]).toBe('Mix dough: Done in 0.1 s');
    expect(lines[2]).toBe('disk.raw: Done in 3 s');
    expect(lines[3]).toBe('source lost');
  });
});
