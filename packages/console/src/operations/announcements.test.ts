import type { Snapshot } from '@wcc/progress';
import { describe, expect, it } from 'vitest';
import { announcementOf } from './announcements.ts';
import { entryOf } from './operations-state.testkit.ts';

const context = {
  locale: 'en' as const,
  userId: 'u1',
  isSending: () => false,
  explain: () => 'The disk is broken.',
};

function announced(before: Partial<Snapshot>, after: Partial<Snapshot>, owner = 'u1') {
  return announcementOf(entryOf({ ...after, owner }), entryOf({ ...before, owner }), context);
}

describe('announcementOf', () => {
  it.each([
    ['queued', 'running', 'Started: copy of debian.raw to web.raw'],
    ['paused', 'running', 'Resumed: copy of debian.raw to web.raw'],
    ['running', 'paused', 'Paused: copy of debian.raw to web.raw'],
    ['running', 'cancelling', 'Cancelling: copy of debian.raw to web.raw'],
    ['cancelling', 'cancelled', 'Cancelled: copy of debian.raw to web.raw'],
    ['running', 'succeeded', 'Done: copy of debian.raw to web.raw'],
    ['running', 'interrupted', 'Interrupted, resumes automatically: copy of debian.raw to web.raw'],
  ] as const)('announces the change from %s to %s', (from, to, text) => {
    expect(announced({ state: from }, { state: to })).toEqual({ text, isAlert: false });
  });

  it('alerts of the user’s own failures, and ignores those of other users', () => {
    const error = { code: 'io_error', message: '', hint: '', detail: null };
    const failed = { state: 'failed', error } as const;
    expect(announced({}, failed)).toEqual({
      text: 'Failed: copy of debian.raw to web.raw. The disk is broken.',
      isAlert: true,
    });
    expect(announced({}, failed, 'u2')).toBeNull();
    expect(announcementOf(entryOf(failed), undefined, context)).toBeNull();
  });

  it('announces a stall once', () => {
    expect(announced({ stalled: false }, { stalled: true })?.text).toContain('No progress');
    expect(announced({ stalled: true }, { stalled: true })).toBeNull();
  });

  it('announces quarters of long operations only', () => {
    const at = (done: number, elapsedMs: number): Partial<Snapshot> => ({
      elapsedMs,
      phases: [
        { name: 'transfer', unit: 'bytes', done, durable: 0, total: 100, state: 'running', elapsedMs },
      ],
    });
    expect(announced(at(49, 61_000), at(51, 61_500))?.text).toBe('50 %: copy of debian.raw to web.raw');
    expect(announced(at(51, 61_500), at(60, 62_000))).toBeNull();
    expect(announced(at(49, 5000), at(51, 5500))).toBeNull();
  });

  it('names a published operation by its action, and does not promise that it resumes', () => {
    const from = { action: 'backup_database', subject: { kind: 'database', id: null, name: 'nightly' } };
    expect(announced({ ...from, state: 'running' }, { ...from, state: 'succeeded' })?.text).toBe(
      'Done: Backup database nightly',
    );
    const silent = { ...from, state: 'interrupted', stateReason: { code: 'publisher_silent' } } as const;
    expect(announced({ ...from, state: 'running' }, silent)?.text).toBe(
      'No more progress reports: Backup database nightly',
    );
  });
});
