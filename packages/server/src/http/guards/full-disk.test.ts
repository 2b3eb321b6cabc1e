import { endpoints } from '@wcc/api/openapi';
import { expect, it } from 'vitest';
import { waysOut } from './full-disk.ts';

it('every request that a full disk lets through is an endpoint of the description', () => {
  const described = new Set(endpoints.map(({ method, path }) => `${method} ${path}`));
  const names = [...waysOut].map((name) => name.replaceAll(/:([^/]+)/g, '{$1}'));
  expect(names.filter((name) => !described.has(name))).toEqual([]);
});
