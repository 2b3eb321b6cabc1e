import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../core/snapshot.ts';
import { sampleSnapshot } from '../testing/sample-snapshot.ts';
import { describeRow } from './describe.ts';
import { ja } from './locales/ja.ts';
import type { RowOptions } from './row-view.ts';
import { registerLocale } from './text/registry.ts';

registerLocale('ja', ja);
registerLocale('en', {
  actions: { copy_vm_image: 'Copy image' },
  phases: { transfer: 'Copying data' },
  laterPhases: { verify: 'checking' },
  reasons: { waiting_for_place: ({ limit }) => `${limit} copies run at a time` },
  warnings: { copy_file_range_refused: 'the kernel could not copy these files' },
  remark: ({ action, state }) =>
    action !== 'copy_vm_image'
      ? ''
      : state === 'cancelling'
        ? 'cleaning up'
        : state === 'cancelled'
          ? 'no files left behind'
          : 'Resumes automatically…',
});

const all = { cancel: true, pause: true, resume: true, retry: true, open: true, dismiss: true };

const row = (change: Partial<Snapshot> = {}, options: RowOptions = {}) =>
  describeRow(sampleSnapshot(change), { actions: all, ...options });

describe('a row', () => {
  it('shows all texts of a running copy', () => {
    expect(row()).toEqual({
      look: 'running',
      title: 'Copy image',
      subject: 'debian-13.raw',
      target: 'web-07.raw',
      status: '2 of 4 · Copying data',
      percent: '62.5 %',
      bar: { value: 0.625, valueText: '62.5 % · 1.5 of 2.4 GiB · 412 MiB/s · about 10 s left' },
      numbers: '1.5 of 2.4 GiB · 412 MiB/s · about 10 s left',
      detail: '37.6 GiB of empty space skipped · by sato · running for 4 s',
      hint: '',
      code: '',
      verbs: ['pause', 'cancel'],
    });
  });

  it('adds the time since the snapshot arrived to durations', () => {
    expect(row({}, { sinceReceiptMs: 3000 }).detail).toContain('running for 7 s');
  });

  it('keeps the value but hides rate, time left and motion while offline', () => {
    const offline = row({}, { connection: 'offline', sinceReceiptMs: 60_000 });
    expect(offline.numbers).toBe('1.5 of 2.4 GiB · last known state');
    expect(offline.detail).toContain('running for 4 s');
    expect(offline.percent).toBe('62.5 %');
    expect(offline.look).toBe('running');
  });

  it('shows a stall with its duration and no rate', () => {
    const stalled = row(
      { stalled: true, rate: 0, etaMs: null, sinceProgressMs: 38_000 },
      { sinceReceiptMs: 2000 },
    );
    expect(stalled.look).toBe('stalled');
    expect(stalled.status).toBe('2 of 4 · Copying data · No progress for 40 s');
    expect(stalled.numbers).toBe('1.5 of 2.4 GiB');
  });

  it('shows the queue position and no bar while queued', () => {
    const reason = { code: 'waiting_for_place', params: { limit: 2 } };
    const queued = row({ state: 'queued', queuePosition: 3, stateReason: reason, phaseIndex: -1 });
    expect(queued).toMatchObject({
      bar: null,
      status: 'Waiting · 3rd in line (2 copies run at a time)',
      verbs: ['cancel'],
    });
  });

  it('shows why an operation is paused, and makes an unknown reason readable', () => {
    const paused = row({ state: 'paused', stateReason: { code: 'waiting_for_license' } });
    expect(paused.status).toBe('Paused at 62.5 % · waiting for license');
    expect(paused.verbs).toEqual(['resume', 'cancel']);
    expect(paused.percent).toBe('');
    expect(row({ state: 'paused', stateReason: { code: 'requested' } }).status).toBe('Paused at 62.5 %');
  });

  it('has a button for each verb of the page, with the verbs of the server in their order', () => {
    const actions = { ...all, choose: 'Choose file…', archive: true, share: false };
    const verbs = ['choose', 'archive', 'resume', 'cancel'];
    expect(row({ state: 'interrupted' }, { actions }).verbs).toEqual(verbs);
    expect(row({}, { actions, connection: 'gone' }).verbs).toEqual(['dismiss']);
  });

  it('shows the note of the page, unless the state of the server contradicts it', () => {
    const note = { status: 'No connection. Resumes at 1.5 GiB', look: 'stalled' } as const;
    expect(row({}, { note })).toMatchObject({
      status: note.status,
      look: 'stalled',
      numbers: '1.5 of 2.4 GiB',
      bar: { value: 0.625 },
    });
    expect(row({ state: 'cancelling' }, { note }).status).toBe('Cancelling… cleaning up');
    expect(row({ state: 'paused' }, { note }).look).toBe('paused');
  });

  it('has no buttons while cancelling, and shows what a cancelled operation left', () => {
    expect(row({ state: 'cancelling' })).toMatchObject({ status: 'Cancelling… cleaning up', verbs: [] });
    expect(row({ state: 'cancelled' })).toMatchObject({
      status: 'Cancelled after 1.5 GiB · no files left behind',
      bar: null,
      verbs: ['retry', 'dismiss'],
    });
  });

  it('shows the bytes written, skipped and shared at the end', () => {
    const bytes = {
      virtual: 42_949_672_960,
      data: 2_576_980_378,
      skipped: 40_372_692_582,
      shared: 0,
      written: 2_576_980_378,
    };
    const ended = { state: 'succeeded', elapsedMs: 12_000, result: { kind: 'image', id: 101 } } as const;
    expect(row({ ...ended, bytes })).toMatchObject({
      status: 'Done in 12 s · 2.4 GiB written · 37.6 GiB of empty space skipped',
      bar: null,
      verbs: ['open', 'dismiss'],
    });
    const shared = { ...bytes, skipped: 0, shared: bytes.data, written: 0 };
    expect(row({ ...ended, bytes: shared, method: 'clone', elapsedMs: 180 }).status).toBe(
      'Instant copy in 0.2 s · 0 B written · shares 2.4 GiB',
    );
  });

  it('shows the warnings of a successful operation', () => {
    const warned = row({
      state: 'succeeded',
      warnings: ['cancel_too_late', 'copy_file_range_refused_EXDEV', 'new_one'],
    });
    expect(warned.look).toBe('warning');
    expect(warned.detail).toContain(
      'Done, but: the cancel was too late, the operation had already completed; the kernel could not',
    );
    expect(warned.detail).toContain('; New one');
  });

  it('shows message, hint and code of a failure in the words of the page', () => {
    const error = {
      code: 'io_error',
      message: 'The disk reported an error.',
      hint: 'Check it.',
      detail: null,
    };
    expect(row({ state: 'failed', error })).toMatchObject({
      look: 'failed',
      status: 'Failed · The disk reported an error.',
      hint: 'Check it.',
      code: 'io_error',
      verbs: ['retry', 'dismiss'],
    });
    registerLocale('ja', { error: ({ code }) => ({ message: `ディスクのエラー ${code}`, hint: '確認' }) });
    expect(row({ state: 'failed', error }, { locale: 'ja' })).toMatchObject({
      status: '失敗 · ディスクのエラー io_error',
      hint: '確認',
    });
  });

  it('shows that an interrupted operation resumes, and that the server no longer knows one that is gone', () => {
    const restarted = row({ state: 'interrupted', stateReason: { code: 'server_restarted' } });
    expect(restarted.status).toMatch(/^The server restarted at .+ · Resumes automatically…$/);
    expect(row({ state: 'interrupted' }).status).toBe('Interrupted · Resumes automatically…');
    const stopped = row({ state: 'interrupted', stateReason: { code: 'server_stopped' } });
    expect(stopped.status).toBe('The server stopped · Resumes automatically…');
    expect(row({}, { connection: 'gone' })).toMatchObject({
      look: 'gone',
      status: 'The server no longer knows this operation · Last seen at 62.5 %',
      bar: null,
      verbs: ['dismiss'],
    });
  });

  it('has only buttons that the rights and the state allow', () => {
    expect(row({}, { actions: null }).verbs).toEqual([]);
    expect(row({}, { actions: { cancel: false, pause: true } }).verbs).toEqual(['pause']);
    expect(row({ action: 'make_sample_image' }, { actions: { cancel: true, pause: false } }).verbs).toEqual([
      'cancel',
    ]);
    expect(row({ action: 'backup_database' }).verbs).toEqual(['pause', 'cancel']);
  });

  it('shows 99.9 % for a complete phase, because 100 % is the end', () => {
    const phases: Snapshot['phases'] = [
      { name: 'transfer', unit: 'bytes', done: 10, durable: 0, total: 10, state: 'running', elapsedMs: 1 },
    ];
    expect(row({ phases, phaseIndex: 0 })).toMatchObject({ percent: '99.9 %', bar: { value: 0.999 } });
  });

  it('names a later phase that has no estimate', () => {
    const { phases } = sampleSnapshot();
    const withCheck = [...phases.slice(0, 3), { name: 'verify', state: 'pending' as const }];
    expect(row({ phases: withCheck }).numbers).toContain('about 10 s left, then checking');
  });

  it('never shows an invalid number, nor 100 % before the end', () => {
    const anyNumber = fc.oneof(
      fc.double({ noDefaultInfinity: false }),
      fc.constantFrom(Number.NaN, Infinity, -1, 0, 2 ** 60),
      fc.integer(),
    );
    const state = fc.constantFrom(
      'queued',
      'running',
      'paused',
      'cancelling',
      'interrupted',
      'cancelled',
      'failed',
    );
    const phase = fc.record({ done: anyNumber, total: fc.option(anyNumber), elapsedMs: anyNumber });
    fc.assert(
      fc.property(state, phase, anyNumber, fc.option(anyNumber), fc.constantFrom('en', 'ja'), (...drawn) => {
        const [drawnState, numbers, rate, etaMs, locale] = drawn;
        const phases: Snapshot['phases'] = [
          { name: 'transfer', unit: 'bytes', durable: 0, state: 'running', ...numbers },
        ];
        const state = drawnState as Snapshot['state'];
        const view = row({ state, phases, phaseIndex: 0, rate, etaMs }, { locale });
        expect(JSON.stringify(view)).not.toMatch(/NaN|undefined|Infinity|100\.0/);
      }),
    );
  });
});

describe('a row of an operation that another program reports', () => {
  const work = (done: number, total: number | null, unit: 'steps' | null = 'steps') => ({
    action: 'backup_database',
    subject: { kind: 'database', id: null, name: 'nightly' },
    target: null,
    bytes: null,
    phases: [{ name: 'work', unit, done, durable: 0, total, state: 'running' as const, elapsedMs: 9000 }],
    phaseIndex: 0,
    rate: 2,
    etaMs: 14_000,
  });

  it('makes the action readable and counts steps', () => {
    expect(row(work(12, 40), { actions: { cancel: true, pause: false } })).toMatchObject({
      title: 'Backup database',
      subject: 'nightly',
      target: null,
      status: 'Working',
      percent: '30.0 %',
      numbers: '12 of 40 steps · about 15 s left',
      verbs: ['cancel'],
    });
    expect(row(work(1, null)).numbers).toContain('1 step ');
    expect(row(work(12, 40, null))).toMatchObject({ percent: '30.0 %', numbers: 'about 15 s left' });
  });

  it('promises nothing about an operation whose catalogue has no remark', () => {
    const stateReason = { code: 'process_lost' };
    expect(row({ ...work(12, 40), state: 'interrupted', stateReason }).status).toBe(
      'The program that ran it has ended',
    );
    expect(row({ ...work(12, 40), state: 'cancelling' }).status).toBe('Cancelling…');
    expect(row({ ...work(12, 40), state: 'cancelled' }).status).toBe('Cancelled');
  });

  it('shows the title of an operation in place of its action, and a heading in place of all names', () => {
    const titled = { ...sampleSnapshot(work(12, 40)), title: 'Nightly backup' };
    expect(describeRow(titled)).toMatchObject({ title: 'Nightly backup', subject: 'nightly' });
    expect(describeRow(titled, { heading: 'Shop' })).toMatchObject({
      title: 'Shop',
      subject: '',
      target: null,
    });
  });
});
