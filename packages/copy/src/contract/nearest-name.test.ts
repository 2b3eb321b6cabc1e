import { expect, it } from 'vitest';
import { nearestName } from './nearest-name.ts';

const names = ['overwrite', 'onProgress', 'verify', 'id', 'tag', 'keepPartial'];

it.each([
  ['overwite', 'overwrite'],
  ['overWrite', 'overwrite'],
  ['onprogres', 'onProgress'],
  ['verfiy', 'verify'],
  ['keepPartials', 'keepPartial'],
  ['mode', null],
  ['recursive', null],
])('nearestName finds for %s the name %s', (name, expected) => {
  expect(nearestName(name, names)).toBe(expected);
});
