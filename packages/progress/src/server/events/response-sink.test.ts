import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createResponseSink } from './response-sink.ts';
import type { EventSink } from './sink.ts';

/** The parts of a response that a sink uses, as a runtime or a middleware may have them. */
class FakeResponse extends EventEmitter {
  writableLength = 0;
  readonly written: string[] = [];
  destroyed = false;
  write(data: Buffer | string, _written?: () => void): boolean {
    this.written.push(data.toString());
    this.writableLength += data.length;
    return true;
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

/** In Bun the callback of `write` runs while the bytes still wait, and no `drain` follows. */
class EarlyCallbackResponse extends FakeResponse {
  override write(data: Buffer | string, written?: () => void): boolean {
    super.write(data);
    written?.();
    return true;
  }
}

interface Under {
  sink: EventSink;
  free: () => number;
  closed: () => number;
}

function start(response: FakeResponse): Under {
  const counts = { free: 0, closed: 0 };
  const sink = createResponseSink(response as unknown as ServerResponse, {
    free: () => (counts.free += 1),
    closed: () => (counts.closed += 1),
  });
  return { sink, free: () => counts.free, closed: () => counts.closed };
}

const soon = { timeout: 5000, interval: 5 };

describe('a sink over a response', () => {
  it.each([
    ['drops the callback of write', FakeResponse],
    ['calls it while bytes still wait', EarlyCallbackResponse],
  ])('returns the credit when the bytes have left, if the response %s', async (_what, Kind) => {
    const response = new Kind();
    const { sink, free } = start(response);
    for (let round = 1; round <= 3; round += 1) {
      sink.write('data');
      expect(sink.isBusy).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 120));
      expect(free()).toBe(round - 1);
      response.writableLength = 0;
      await expect.poll(free, soon).toBe(round);
      expect(sink.isBusy).toBe(false);
    }
    response.destroy();
  });

  it('returns the credit at once on drain, and once for several writes', async () => {
    const response = new FakeResponse();
    const { sink, free } = start(response);
    sink.write('one');
    sink.write('two');
    expect(sink.bufferedBytes()).toBe(6);
    response.writableLength = 0;
    response.emit('drain');
    expect(free()).toBe(1);
    response.emit('drain');
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(free()).toBe(1);
    response.destroy();
  });

  it('reports the close once, and neither writes nor returns a credit after it', async () => {
    const response = new FakeResponse();
    const { sink, free, closed } = start(response);
    sink.write('one');
    response.destroy();
    response.writableLength = 0;
    sink.write('two');
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect([free(), closed(), response.written.length]).toEqual([0, 1, 1]);
  });
});
