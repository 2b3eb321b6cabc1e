// The watchers of watchers.mjs: real sockets in a separate process. Prints "ready" when all are subscribed, and after
// "report" how many have received the terminal snapshot.
import { WebSocket } from 'ws';

const [port, operation, watchers, stalled] = process.argv.slice(2);
const ended = new Set();
let snapshots = 0;
let ready = 0;

function connect(index) {
  const isStalled = index < Number(stalled);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/ws`, ['wcc.v1'], { perMessageDeflate: false });
  socket.on('error', (error) => {
    throw error;
  });
  socket.on('message', (data) => {
    const text = Buffer.from(data).toString();
    if (text.startsWith('{"t":"hello"')) {
      socket.send(JSON.stringify({ t: 'sub', id: 1, ops: [{ op: operation }] }));
    } else if (text.startsWith('{"t":"ok"')) {
      ready += 1;
      // This client stops reading, so the kernel's buffers fill.
      if (isStalled) socket.pause();
      if (ready === Number(watchers)) process.send('ready');
    } else if (text.startsWith('{"t":"ops"')) {
      snapshots += 1;
      if (text.includes('"state":"succeeded"')) ended.add(index);
    }
  });
}

for (let index = 0; index < Number(watchers); index += 1) connect(index);
process.on('message', () => process.send({ ends: ended.size, snapshots }));
process.on('disconnect', () => process.exit());
