import { expect, it } from 'vitest';
import { findServer } from './server.ts';

const url = 'http://localhost:8400';

it('WCC_TOKEN may end with the line break of its file', async () => {
  expect(await findServer({ WCC_TOKEN: 'wcc_x\r\n' }, url)).toMatchObject({ origin: url, token: 'wcc_x' });
});

it('a WCC_TOKEN that no header can have is named, and not taken for a lost network', async () => {
  await expect(findServer({ WCC_TOKEN: 'wcc_\u2026' }, url)).rejects.toMatchObject({
    exit: 'usage',
    message: 'WCC_TOKEN is not a valid token.',
  });
});
