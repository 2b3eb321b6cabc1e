import { describe, expect, it } from 'vitest';
import { GuestOutputFilter } from './escape-terminal.ts';

const take = (...parts: string[]): string => {
  const text = new GuestOutputFilter();
  return parts.map((part) => text.filter(Buffer.from(part, 'latin1'))).join('');
};

describe('output of a guest', () => {
  it('keeps text, line breaks and carriage returns', () => {
    expect(take('login:\t\r\n', '10 %\r20 %\b')).toBe('login:\t\r\n10 %\r20 %\b');
  });

  it.each([
    ['colours', '\u001b[1;32mok\u001b[0m'],
    ['a title', '\u001b]0;rm -rf\u0007ok'],
    ['a clipboard', '\u001b]52;c;cm0K\u001b\\ok'],
    ['a cleared screen', '\u001b[2J\u001b[Hok'],
    ['a character set', '\u001b(0ok'],
    ['a reset', '\u001bcok'],
    ['bells and deletes', '\u0007o\u007fk'],
    ['controls of eight bits', 'o\u00c2\u009bk'],
  ])('loses %s, however the output is split', (_, written) => {
    for (let cut = 0; cut <= written.length; cut++)
      expect(take(written.slice(0, cut), written.slice(cut)), `cut at ${cut}`).toBe('ok');
  });

  it('shows a character when all its bytes have arrived', () => {
    const text = new GuestOutputFilter();
    const [first = 0, ...rest] = Buffer.from('画');
    expect(text.filter(Buffer.from([first]))).toBe('');
    expect(text.filter(Buffer.from(rest))).toBe('画');
  });

  it('does not wait for ever for the end of an escape sequence', () => {
    expect(take(`\u001b]${'x'.repeat(5000)}`, 'ok')).toBe('ok');
  });
});
