import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { ImportFacts } from '@wcc/api';
import { makePrincipal, startDomain } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';
import { createImportContext } from './context.ts';
import { readImportFacts } from './facts.ts';

const principal = makePrincipal('ann');
let domain: DomainUnderTest;
beforeAll(async () => {
  domain = await startDomain();
});
afterAll(() => domain.close());
let answer: RequestListener;
let requests = 0;
const server = createServer((request, response) => {
  requests += 1;
  answer(request, response);
});
let origin: string;
beforeEach(async () => {
  requests = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const imports = createImportContext(() => true);
function factsOf(path: string, signal = new AbortController().signal, by = principal): Promise<ImportFacts> {
  return readImportFacts({ store: domain.store, maxVirtualSizeBytes: 1024 ** 4 }, imports, {
    principal: by,
    body: { url: new URL(path, origin).href },
    signal,
  });
}

it('F24: name, size and kind of a file are known before it is imported, and the rest is not fetched', async () => {
  answer = ({ url }, response) => {
    if (url === '/files/7/download') return response.writeHead(302, { location: '/blob?id=7' }).end();
    response.writeHead(200, {
      'content-length': 2 ** 40,
      'content-disposition': `attachment; filename="x"; filename*=UTF-8''gr%C3%B6%C3%9Fe.raw`,
    });
    return response.write(Buffer.alloc(65_536, 7));
  };
  expect(await factsOf('/files/7/download')).toEqual({
    name: 'größe.raw',
    sizeBytes: 2 ** 40,
    format: 'raw',
    virtualSizeBytes: 2 ** 40,
    remarks: [],
    refusal: null,
  });
  expect(imports.questions.size).toBe(0);
});

it('SM1: the record names who made wcc ask which server, also if it does not answer', async () => {
  answer = ({ socket }) => void socket.destroy();
  await expect(factsOf('/secret/path?token=1')).rejects.toMatchObject({ code: 'import_failed' });
  const rows = await domain.store.db
    .selectFrom('audit')
    .select(['who', 'what', 'subject', 'result'])
    .where('subject', '=', `origin:${origin}`)
    .execute();
  expect(rows).toEqual([
    { who: 'ann', what: 'image.import_facts', subject: `origin:${origin}`, result: 'ok' },
  ]);
});

it('F24: a file that an import would refuse is named with its reason', async () => {
  answer = (_, response) => void response.end('<!doctype html><title>Sign in</title>');
  expect(await factsOf('/b.iso')).toMatchObject({
    name: 'b.iso',
    format: null,
    refusal: { code: 'not_an_image' },
  });
});

it('F24: an answer that does not come, or that needs a sign-in, is an error', async () => {
  answer = (_, response) => void response.writeHead(401).end();
  await expect(factsOf('/b.iso')).rejects.toMatchObject({ code: 'import_sign_in' });
  answer = (_, response) => void response.writeHead(503, { 'retry-after': '9' }).end();
  await expect(factsOf('/b.iso')).rejects.toMatchObject({ code: 'import_failed' });
  answer = () => {};
  const leaving = new AbortController();
  const asked = factsOf('/b.iso', leaving.signal);
  await expect.poll(() => requests).toBe(3);
  leaving.abort(new Error('the client left'));
  await expect(asked).rejects.toThrow('the client left');
});

it('servers that do not answer take no place from other users', async () => {
  answer = () => {};
  const leaving = new AbortController();
  const ofAnn = Array.from({ length: 4 }, () => factsOf('/b.iso', leaving.signal));
  await expect(factsOf('/b.iso', leaving.signal)).rejects.toMatchObject({ code: 'rate_limited' });
  const ofBob = factsOf('/b.iso', leaving.signal, makePrincipal('bob'));
  const ends = Promise.allSettled([...ofAnn, ofBob]);
  await expect.poll(() => requests).toBe(5);
  leaving.abort(new Error('the client left'));
  await ends;
  expect(imports.questions.size).toBe(0);
});
