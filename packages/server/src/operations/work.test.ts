import { describe, expect, it } from 'vitest';
import { startWork } from './work.ts';
import type { PhaseEvent, Progress, Work, WorkControls } from './work.ts';

interface UnderTest {
  work: Work;
  events: PhaseEvent[];
  progress: Progress;
  end: (error?: unknown) => void;
}

/** Work that runs until `end` is called. */
async function start(controls: WorkControls = {}): Promise<UnderTest> {
  const events: PhaseEvent[] = [];
  let end: (error?: unknown) => void = () => {};
  const progress = await new Promise<{ work: Work; progress: Progress }>((resolve) => {
    const work = startWork(
      { onPhase: (event) => void events.push(event), onWarning: () => {} },
      async (given) => {
        resolve({ work, progress: given });
        await new Promise<void>((done, fail) => {
          end = (error) => (error === undefined ? done() : fail(error));
        });
        return {};
      },
      controls,
    );
    work.done.catch(() => {});
  });
  return { ...progress, events, end };
}

const bytes = { virtual: 8, data: 4, skipped: 4, shared: 0, written: 4 };

describe('startWork', () => {
  it('returns the work before the first phase starts', async () => {
    const events: PhaseEvent[] = [];
    const hooks = { onPhase: (event: PhaseEvent) => void events.push(event), onWarning: () => {} };
    const work = startWork(hooks, async (progress) => {
      progress.startPhase('read');
      return {};
    });
    expect(events).toEqual([]);
    await work.done;
    expect(events.map(({ phase }) => phase)).toEqual(['read']);
  });

  it('counts within a phase, never backwards, and from zero in the next phase', async () => {
    const { work, progress, end } = await start();
    progress.startPhase('read', { unit: 'bytes', total: 10 });
    progress.advance(5, 3);
    progress.advance(4, 2);
    expect(work.progress()).toMatchObject({ phase: 'read', done: 5, durable: 3, total: 10 });
    progress.startPhase('check');
    expect(work.progress()).toMatchObject({ phase: 'check', done: 0, durable: 0, total: null });
    end();
    await work.done;
  });

  it('reports a later total and method of a phase without losing its counters', async () => {
    const { work, progress, events, end } = await start();
    progress.startPhase('disk_1');
    progress.advance(5);
    progress.updatePhase({ unit: 'bytes', total: 10, method: 'clone' });
    expect(work.progress()).toMatchObject({ done: 5, total: 10 });
    expect(events.at(-1)).toMatchObject({ phase: 'disk_1', unit: 'bytes', total: 10, method: 'clone' });
    progress.setTotal(12);
    expect(work.progress().total).toBe(12);
    end();
    await work.done;
  });

  it('calls `refresh` for current numbers when its progress is read', async () => {
    const { work, end } = await start({
      refresh(progress) {
        progress.advance(7);
        progress.setBytes(bytes);
      },
    });
    expect(work.progress()).toMatchObject({ done: 7, bytes });
    end();
    expect((await work.done).bytes).toEqual(bytes);
  });

  it.each(['cancelled', 'interrupted'] as const)(
    'ends as %s after a stop request, even if the work throws another error',
    async (code) => {
      const stops: string[] = [];
      const { work, progress, end } = await start({ onStop: (reason) => void stops.push(reason) });
      if (code === 'cancelled') work.cancel();
      else work.interrupt();
      expect(progress.signal.reason).toBe(code);
      expect(stops).toEqual([code]);
      end(new TypeError('stopped in the middle'));
      await expect(work.done).rejects.toMatchObject({ code });
    },
  );

  it('ignores a cancel that arrives too late, but not an interrupt', async () => {
    const { work, progress, end } = await start({ canCancel: () => false });
    work.cancel();
    expect(progress.signal.aborted).toBe(false);
    work.interrupt();
    expect(progress.signal.aborted).toBe(true);
    end();
    await work.done;
  });

  it('maps its error with its own options', async () => {
    const { work, end } = await start({ sourcePath: '/pool/a.raw' });
    end(Object.assign(new Error('gone'), { code: 'ENOENT', path: '/pool/a.raw' }));
    await expect(work.done).rejects.toMatchObject({ code: 'failed', error: { code: 'source_vanished' } });
  });
});
