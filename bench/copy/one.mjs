// One copy in a process of its own, as the ways other than cp are measured; without the start of Node. Prints
// milliseconds. `first` includes the start of the worker thread, the others find one that runs, as in a server.
import { copyFile as copyByNode } from 'node:fs/promises';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { copyFile, warmUp } from '@wcc/copy';

const [way, source, target] = process.argv.slice(2);
const ways = {
  scratch: () => copyFile(source, target, { durable: false }).done,
  durable: () => copyFile(source, target).done,
  first: () => copyFile(source, target, { durable: false }).done,
  node: () => copyByNode(source, target),
  pipeline: () => pipeline(createReadStream(source), createWriteStream(target)),
};
if (way === 'scratch' || way === 'durable') await warmUp();
const startedMs = performance.now();
await ways[way]();
console.log(performance.now() - startedMs);
