// Makes one copy in a separate process and prints its milliseconds, without the start of Node. `first` includes the
// start of the worker thread. The other ways use a worker that already runs, like a server.
import { copyFile as copyByNode } from 'node:fs/promises';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { copyFile, preload } from '@wcc/copy';

const [way, source, target] = process.argv.slice(2);
const ways = {
  scratch: () => copyFile(source, target, { durable: false }),
  durable: () => copyFile(source, target),
  first: () => copyFile(source, target, { durable: false }),
  node: () => copyByNode(source, target),
  pipeline: () => pipeline(createReadStream(source), createWriteStream(target)),
};
if (way === 'scratch' || way === 'durable') await preload();
const startedMs = performance.now();
await ways[way]();
console.log(performance.now() - startedMs);
