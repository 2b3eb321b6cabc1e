// The page of all three servers: a bar for each job of this visitor. The client reconnects after any loss.
import { connect } from '/progress/client/index.js';
import '/progress/element/define.js';

const post = async (path) => (await fetch(path, { method: 'POST' })).json();
const client = connect('/api/ws', { ticket: async () => (await post('/tickets')).ticket });
const bars = new Map();

client.watchAll('mine', (snapshot) => {
  if (!bars.has(snapshot.id)) {
    bars.set(snapshot.id, document.createElement('wcc-progress'));
    document.querySelector('main').prepend(bars.get(snapshot.id));
  }
  bars.get(snapshot.id).snapshot = snapshot;
});
client.onStatus(({ state }) => {
  for (const bar of bars.values()) bar.connection = state === 'online' ? 'online' : 'offline';
});
document.querySelector('button').addEventListener('click', () => void post('/jobs'));
