import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** The side of the service manager: a datagram socket that an independent program reads, because Node has none. */
export interface NotifySocket {
  /** For `NOTIFY_SOCKET`. */
  readonly address: string;
  /** The messages so far, each as its fields. */
  readonly messages: readonly Record<string, string>[];
  close(): Promise<void>;
}

const receiver = `
import json, socket, sys, time
address = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('\\0' + address[1:] if address.startswith('@') else address)
print('"bound"', flush=True)
time.sleep(float(sys.argv[2]))
while True:
    print(json.dumps(s.recv(65536).decode()), flush=True)
`;

/** `deafMs`: reads nothing for this time, so that the queue of the socket fills. @default 0 */
export async function openNotifySocket(address: string, { deafMs = 0 } = {}): Promise<NotifySocket> {
  const child = spawn('/usr/bin/python3', ['-c', receiver, address, String(deafMs / 1000)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const messages: Record<string, string>[] = [];
  const lines = createInterface(child.stdout);
  await once(lines, 'line');
  lines.on('line', (line) => messages.push(fieldsOf(JSON.parse(line) as string)));
  return {
    address,
    messages,
    async close() {
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}

function fieldsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}
