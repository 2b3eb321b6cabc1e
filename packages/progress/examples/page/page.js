// The page of all three servers: a bar for each job of this visitor. The client reconnects after any loss.
import { connect } from '/library/client/index.js';
import '/library/element/define.js';

const client = connect('/progress');
const bars = new Map();

client.watchList('mine', (snapshot, actions) => {
  if (!bars.has(snapshot.id)) {
    bars.set(snapshot.id, document.createElement('wcc-progress'));
    document.querySelector('main').prepend(bars.get(snapshot.id));
  }
  Object.assign(bars.get(snapshot.id), { snapshot, actions });
});
client.onStatus(({ state }) => {
  for (const bar of bars.values()) bar.connection = state === 'online' ? 'online' : 'offline';
});
document.addEventListener('action', ({ detail: { id, verb } }) => void client.act(id, verb));
document.querySelector('button').addEventListener('click', () => void fetch('/jobs', { method: 'POST' }));
