import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A file on a server of its own, which sends a byte every 20 ms without end. */
export interface EndlessFile {
  url(path: string): string;
  sentBytes(path: string): number;
  isSending(path: string): boolean;
  close(): void;
}

export async function serveEndlessFile(): Promise<EndlessFile> {
  const sent = new Map<string, { bytes: number; isSending: boolean }>();
  const files = createServer((request, response) => {
    const one = { bytes: 0, isSending: true };
    sent.set(request.url ?? '', one);
    response.writeHead(200, { 'content-length': 1_000_000 });
    const sending = setInterval(() => {
      response.write('x');
      one.bytes += 1;
    }, 20);
    response.on('close', () => {
      clearInterval(sending);
      one.isSending = false;
    });
  }).listen(0, '127.0.0.1');
  await once(files, 'listening');
  const { port } = files.address() as AddressInfo;
  return {
    url: (path) => `http://127.0.0.1:${port}${path}`,
    sentBytes: (path) => sent.get(path)?.bytes ?? 0,
    isSending: (path) => sent.get(path)?.isSending ?? false,
    close: () => {
      files.closeAllConnections();
      files.close();
    },
  };
}
