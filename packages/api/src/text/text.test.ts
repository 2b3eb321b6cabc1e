import { describeRow, registerLocale } from '@wcc/progress/text';
import type { RowOptions } from '@wcc/progress/text';
import { ja as japanese } from '@wcc/progress/element/locales/ja';
import { sampleSnapshot } from '@wcc/progress/testing';
import type { Snapshot } from '@wcc/progress';
import { beforeAll, describe, expect, it } from 'vitest';
import { en } from './en.ts';
import { ja } from './ja.ts';

beforeAll(() => {
  registerLocale('en', en);
  registerLocale('ja', japanese);
  registerLocale('ja', ja);
});

const row = (change: Partial<Snapshot> = {}, options: RowOptions = {}) =>
  describeRow(sampleSnapshot(change), options);

describe('a row of wcc', () => {
  it('names action and phase in both languages', () => {
    expect(row()).toMatchObject({ title: 'Copy image', status: '2 of 4 · Copying data' });
    expect(row({}, { locale: 'ja' })).toMatchObject({
      title: 'イメージのコピー',
      status: '2 / 4 · データをコピー中',
    });
  });

  it('names a later phase that has no estimate', () => {
    const { phases } = sampleSnapshot();
    const withCheck = [...phases.slice(0, 3), { name: 'verify', state: 'pending' as const }];
    expect(row({ phases: withCheck }).numbers).toContain('about 10 s left, then checking');
  });

  it('shows why an operation waits for a slot', () => {
    const reason = (limit: number) => ({ code: 'waiting_for_place', params: { limit } });
    const queued = (limit: number) =>
      row({ state: 'queued', queuePosition: 3, stateReason: reason(limit) }).status;
    expect(queued(2)).toBe('Waiting · 3rd in line (2 copies run at a time)');
    expect(queued(1)).toBe('Waiting · 3rd in line (one copy runs at a time)');
  });

  it('shows how much space a paused operation needs and that it resumes automatically', () => {
    const full = { code: 'no_space', params: { needs: 2_576_980_378, free: 858_993_459 } };
    expect(row({ state: 'paused', stateReason: full }).status).toBe(
      'Paused at 62.5 % · the disk is full: needs 2.4 GiB, 819 MiB free. Resumes automatically when there is space',
    );
  });

  it('shows the warnings of a successful operation', () => {
    const warnings = ['cancel_too_late', 'copy_file_range_refused_EXDEV', 'new_one'];
    expect(row({ state: 'succeeded', warnings }).detail).toContain(
      'Done, but: the cancel was too late, the operation had already completed; the kernel could not copy these files',
    );
    expect(row({ state: 'succeeded', warnings }).detail).toContain('; New one');
  });

  it('promises cleaning up and resuming for an operation that wcc runs', () => {
    expect(row({ state: 'cancelling' }).status).toBe('Cancelling… cleaning up');
    expect(row({ state: 'cancelled' }).status).toBe('Cancelled after 1.5 GiB · no files left behind');
    const stopped = { state: 'interrupted', stateReason: { code: 'server_stopped' } } as const;
    expect(row(stopped).status).toBe('The server stopped · Resumes automatically…');
    expect(row(stopped, { locale: 'ja' }).status).toBe('サーバーが停止しました · 自動で続行します…');
  });

  it('does not promise that an upload without its sender resumes', () => {
    const waiting = { state: 'interrupted', stateReason: { code: 'waiting_for_client' } } as const;
    expect(row({ ...waiting, action: 'upload_image' }).status).toBe('Waiting for the sender to resume');
  });

  it('promises nothing about an operation of another program', () => {
    const published = { action: 'backup_database', bytes: null };
    const stateReason = { code: 'publisher_silent' };
    expect(row({ ...published, state: 'interrupted', stateReason }).status).toBe(
      'No report from the program that runs it · Resumes with its next report',
    );
    expect(row({ ...published, state: 'cancelling' }).status).toBe(
      'Cancelling… waiting for the program that runs it',
    );
    expect(row({ ...published, state: 'cancelled' }).status).toBe('Cancelled');
  });
});
