import { describe, expect, it, vi } from 'vitest';
import stringWidth from 'string-width';
import type { Snapshot } from '../core/snapshot.ts';
import { sampleSnapshot } from '../testing/sample-snapshot.ts';
import { createDisplay } from './display.ts';
import { drawLine } from './draw-line.ts';
import { operationLine } from './operation-line.ts';
import { renderTerminal } from './render-terminal.ts';
import { truncate, widthOf } from './terminal-text.ts';

const utf8 = { LANG: 'C.UTF-8' };

function logStream() {
  const lines: string[] = [];
  return { lines, stream: { write: (text: string) => lines.push(text.trimEnd()) } };
}

describe('renderTerminal', () => {
  it.each([
    ['source', null, {}],
    ['source', {}, {}],
    ['source', 'copy', {}],
    ['stream', { snapshot: sampleSnapshot() }, { stream: {} }],
    ['stream', { snapshot: sampleSnapshot() }, { stream: null }],
  ])('refuses a %s that it cannot use', (name, source, options) => {
    const call = (): unknown => renderTerminal(source as never, options as never);
    expect(call).toThrow(expect.objectContaining({ code: 'invalid_option' }));
    expect(call).toThrow(name);
  });

  it('ends its output when the stream throws, and follows the source until its end', async () => {
    const source = { snapshot: sampleSnapshot() };
    let writes = 0;
    const write = (): never => {
      writes += 1;
      throw new Error('EPIPE');
    };
    const view = renderTerminal(source, { stream: { write, isTTY: true }, env: utf8 });
    source.snapshot = sampleSnapshot({ state: 'succeeded' });
    await view.finished;
    expect(writes).toBe(1);
  });

  it('draws into a terminal that reports 0 columns and rows as into one of usual size', () => {
    const { lines, stream } = logStream();
    const terminal = { ...stream, isTTY: true, columns: 0, rows: 0 };
    const display = createDisplay({ stream: terminal, env: utf8 });
    const line = operationLine(sampleSnapshot());
    for (let time = 0; time < 2; time += 1) display.show([line, line, line]);
    expect(lines.join('')).toContain('\u001b[2A');
    expect(lines.join('')).not.toMatch(/Infinity|NaN|\+\d/);
    display.clear();
  });
});

describe('a display that is not a terminal', () => {
  it('prints a line at each change of state or phase, and none for the same text', () => {
    const { lines, stream } = logStream();
    const display = createDisplay({ stream, env: utf8 });
    const show = (change: Partial<Snapshot>): void => display.show([operationLine(sampleSnapshot(change))]);
    show({});
    show({ seq: 2, rate: 1000 });
    show({ seq: 3, state: 'paused' });
    show({ seq: 4, state: 'paused' });
    expect(lines).toEqual([
      'debian-13.raw → web-07.raw: 62.5 % 2 of 4 · Transfer · 1.5 of 2.4 GiB · 412 MiB/s · about 10 s left · 37.6 GiB of empty space skipped',
      'debian-13.raw → web-07.raw: Paused at 62.5 % · 1.5 of 2.4 GiB',
    ]);
    expect(lines.join('')).not.toContain('\u001b');
  });

  it('prints a line of the same state after the pause between lines', async () => {
    const { lines, stream } = logStream();
    const display = createDisplay({ stream, env: utf8, logEveryMs: 20 });
    const show = (rate: number): void => display.show([operationLine(sampleSnapshot({ rate }))]);
    show(1000);
    await vi.waitFor(() => {
      show(5_000_000);
      expect(lines.length).toBe(2);
    });
  });

  it('has a state of its own for each operation', () => {
    const { lines, stream } = logStream();
    const display = createDisplay({ stream, env: utf8 });
    const both = ['a', 'b'].map((id) =>
      operationLine(sampleSnapshot({ id, subject: { kind: 'x', id, name: id } })),
    );
    display.show(both);
    display.show(both.toReversed());
    display.show([both[1]!]);
    expect(lines.map((line) => line[0])).toEqual(['a', 'b']);
  });

  it('is a log on a terminal that cannot move its cursor', () => {
    const { lines, stream } = logStream();
    const display = createDisplay({ stream: { ...stream, isTTY: true }, env: { ...utf8, TERM: 'dumb' } });
    display.show([operationLine(sampleSnapshot())]);
    display.print('a line\u001b[2J');
    display.clear();
    expect(lines.length).toBe(2);
    expect(lines.join('')).not.toContain('\u001b');
  });
});

describe('renderTerminal without a terminal', () => {
  interface FakeClient {
    say(snapshot: Snapshot): void;
    go(id: string): void;
    connect(state: string): void;
  }
  function openClient() {
    const listeners: Partial<Record<'snapshot' | 'gone' | 'status', (value: never) => void>> = {};
    const stops: string[] = [];
    const on = (name: 'snapshot' | 'gone' | 'status') => (listener: (value: never) => void) => {
      listeners[name] = listener;
      return () => void stops.push(name);
    };
    const call = (name: 'snapshot' | 'gone' | 'status', value: unknown): void =>
      listeners[name]?.(value as never);
    const fake: FakeClient = {
      say: (snapshot) => call('snapshot', snapshot),
      go: (id) => call('gone', id),
      connect: (state) => call('status', { state }),
    };
    const source = {
      status: { state: 'online' },
      watchList: (_scope: string, listener: (snapshot: Snapshot) => void) => on('snapshot')(listener),
      onStatus: on('status'),
      onGone: on('gone'),
    };
    return { fake, stops, source };
  }

  it('prints the operations of a client, a lost connection and ends, in the language of its option', async () => {
    const { lines, stream } = logStream();
    const { fake, stops, source } = openClient();
    const view = renderTerminal(source, { stream, env: utf8, locale: 'en' });
    fake.say(sampleSnapshot({ id: 'old', state: 'succeeded' }));
    fake.say(sampleSnapshot());
    await vi.waitFor(() => expect(lines.length).toBe(1));
    fake.connect('connecting');
    await vi.waitFor(() => expect(lines.at(-1)).toContain('last known state'));
    fake.connect('online');
    fake.say(sampleSnapshot({ state: 'succeeded', elapsedMs: 3000 }));
    expect(lines.at(-1)).toBe(
      'Copy vm image debian-13.raw → web-07.raw: Done in 3 s · 1.5 GiB written · 37.6 GiB of empty space skipped',
    );
    expect(lines.join('\n')).not.toContain('old');
    view.close();
    await view.finished;
    expect(stops.toSorted()).toEqual(['gone', 'snapshot', 'status']);
    fake.say(sampleSnapshot({ id: 'late' }));
    view.close();
  });

  it('drops an operation that is gone', async () => {
    const { lines, stream } = logStream();
    const { fake, source } = openClient();
    using view = renderTerminal(source, { stream, env: utf8, logEveryMs: 0 });
    fake.say(sampleSnapshot());
    await vi.waitFor(() => expect(lines.length).toBeGreaterThan(0));
    fake.go(sampleSnapshot().id);
    const before = lines.length;
    await new Promise((resolve) => {
      setTimeout(resolve, 1300);
    });
    expect(lines.length).toBe(before);
    view.print('still open');
    expect(lines.at(-1)).toBe('still open');
  });
});

describe('a drawn line', () => {
  it('has exactly the width of the terminal at most, with names and parts of any script', () => {
    const features = { canRedraw: true, hasColour: false, hasUnicode: true };
    for (const name of ['debian', 'とても長い名前のイメージファイル.raw', '👩‍🚀 rocket', 'é'.repeat(80)])
      for (let columns = 20; columns < 130; columns += 7) {
        const line = { ...operationLine(sampleSnapshot()), name };
        expect(stringWidth(drawLine(line, columns, features))).toBeLessThanOrEqual(columns);
      }
  });
});

describe('the width of a text', () => {
  it('equals that of string-width for characters of every script, combining marks and emoji', () => {
    const samples = [
      'plain ASCII',
      'ｆｕｌｌｗｉｄｔｈ',
      'イメージのコピー',
      'ﾊﾝｶｸ',
      '한국어',
      '繁體中文',
      'e\u0301\u0323',
      'नमस्ते',
      'ภาษาไทย',
      'עברית',
      '👩‍👩‍👧',
      '👍🏽',
      '🇯🇵',
      '❤️',
      '1️⃣',
      '✔',
      '✅',
      '…·→━─',
      '\u200b\u2060x',
      'a\u0000b',
      '𠮷野家',
    ];
    const differing = samples.filter((text) => widthOf(text) !== stringWidth(text));
    expect(differing).toEqual([]);
    const blocks: string[] = [];
    for (let code = 0x20; code < 0x1_f000; code += 37) {
      const text = String.fromCodePoint(code);
      if (/\p{L}|\p{N}|\p{P}/u.test(text) && widthOf(text) !== stringWidth(text))
        blocks.push(code.toString(16));
    }
    expect(blocks).toEqual([]);
  });

  it('is kept when a text is cut', () => {
    expect(truncate('イメージのコピー', 7)).toBe('イメー…');
    expect(truncate('short', 7)).toBe('short');
    expect(truncate('anything', 0)).toBe('');
  });
});
