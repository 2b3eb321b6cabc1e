import { password } from '../server.testkit.ts';
import { makeMachine, makeOrphan, sheep, tusHeaders } from './matrix.testkit.ts';
import type { Matrix, Probe } from './matrix.testkit.ts';

/**
 * A valid request to every endpoint, by the description's method and path. It may be sent many times: what it would
 * make exists already, what it would stop has stopped, and what it would remove is made first.
 */
export type Probes = Readonly<Record<string, (isAllowed: boolean) => Promise<Probe>>>;

const offsetType = 'application/offset+octet-stream';

export function createProbes(matrix: Matrix): Probes {
  const probes = { ...imageProbes(matrix), ...machineProbes(matrix), ...operationProbes(matrix) };
  const all = { ...probes, ...uploadProbes(matrix), ...accessProbes(matrix) };
  return Object.fromEntries(
    Object.entries(all).map(([name, rest]) => [
      name,
      async (isAllowed: boolean) => withMethod(name, await rest(isAllowed)),
    ]),
  );
}

type Rest = Omit<Probe, 'method'>;
/** `isAllowed`: the caller is expected to have the right, so that the request may take effect. */
type Rests = Record<string, (isAllowed: boolean) => Rest | Promise<Rest>>;

function withMethod(name: string, rest: Rest): Probe {
  const [method = ''] = name.split(' ');
  return { method, ...rest };
}

const at =
  (path: string, more: Omit<Rest, 'path'> = {}) =>
  (): Rest => ({ path, ...more });
const send = (path: string, body: unknown): (() => Rest) => at(path, { body });

function imageProbes(matrix: Matrix): Rests {
  const { things } = matrix;
  const image = `/api/images/${things.image}`;
  const pool = `/api/pools/${things.pool}`;
  const taken = { name: 'sample.raw' };
  return {
    'GET /api/images': at('/api/images'),
    'GET /api/images/{id}': at(image),
    'PATCH /api/images/{id}': send(image, { template: true }),
    // A template is protected.
    'DELETE /api/images/{id}': at(image),
    'GET /api/images/{id}/copy-plan': at(`${image}/copy-plan`),
    'POST /api/images/{id}/copy': send(`${image}/copy`, taken),
    'POST /api/images/{id}/convert': send(`${image}/convert`, { ...taken, format: 'qcow2' }),
    'POST /api/images/{id}/verify': send(`${image}/verify`, {}),
    'POST /api/images/import': send('/api/images/import', { ...taken, url: 'https://example.org/a.raw' }),
    'POST /api/images/import/facts': send('/api/images/import/facts', { url: 'ftp://example.org/a.raw' }),
    'GET /api/images/{id}/download': at(`${image}/download`),
    'HEAD /api/images/{id}/download': at(`${image}/download`),
    'POST /api/images/{id}/download': at(`${image}/download`, {
      rawBody: 'ticket=x',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    }),
    'POST /api/images/sample': send('/api/images/sample', { ...taken, sizeBytes: 1024 ** 2 }),
    'GET /api/pools': at('/api/pools'),
    'POST /api/pools/{id}/rescan': at(`${pool}/rescan`),
    'GET /api/pools/{id}/orphans': at(`${pool}/orphans`),
    'DELETE /api/pools/{id}/orphans/{orphan}': async () => ({
      path: `${pool}/orphans/${await makeOrphan(matrix)}`,
    }),
  };
}

function machineProbes(matrix: Matrix): Rests {
  const { things } = matrix;
  const off = `/api/vms/${things.vm}`;
  const on = `/api/vms/${things.running}`;
  const taken = { name: 'on', cpus: 1, memoryBytes: 32 * 1024 ** 2 };
  const disks = [{ kind: 'blank', sizeBytes: 1024 ** 2 }];
  return {
    'GET /api/host': at('/api/host'),
    'GET /api/vms': at('/api/vms'),
    'POST /api/vms': send('/api/vms', { ...taken, disks }),
    'POST /api/vms/quick-create': send('/api/vms/quick-create', { ...taken, image: things.image }),
    'GET /api/vms/{id}': at(off),
    'PATCH /api/vms/{id}': send(off, { cpus: 1 }),
    'DELETE /api/vms/{id}': async (isAllowed) => ({
      path: `/api/vms/${isAllowed ? await makeMachine(matrix) : things.vm}`,
      body: { disks: true },
    }),
    // A running machine is neither copied nor started, a stopped one is not stopped.
    'POST /api/vms/{id}/copy': send(`${on}/copy`, { name: 'copy-of-on' }),
    'POST /api/vms/{id}/start': at(`${on}/start`),
    'POST /api/vms/{id}/shutdown': at(`${off}/shutdown`),
    'POST /api/vms/{id}/power-off': at(`${off}/power-off`),
    'POST /api/vms/{id}/reset': at(`${off}/reset`),
    'POST /api/vms/{id}/discard-saved-state': at(`${off}/discard-saved-state`),
    'POST /api/vms/{id}/adopt': at(`${off}/adopt`),
    'POST /api/vms/{id}/disks': send(`${on}/disks`, { sizeBytes: 1024 ** 2 }),
    'PATCH /api/vms/{id}/disks/{index}': send(`${on}/disks/0`, { sizeBytes: 1024 ** 3 }),
    'PUT /api/vms/{id}/cdrom': send(`${off}/cdrom`, { image: null }),
    'GET /api/vms/{id}/serial': at(`${on}/serial`),
    'GET /api/vms/{id}/serial/socket': at(`${on}/serial/socket`),
    'GET /api/vms/{id}/screenshot': at(`${on}/screenshot`),
    'GET /api/vms/{id}/screen': at(`${on}/screen`),
  };
}

function operationProbes({ server, things, credentials }: Matrix): Rests {
  const report = `/api/operations/${things.report}`;
  const ended = `/api/operations/${things.ended}`;
  const { friend } = things.users;
  const owner = credentials.owner;
  return {
    'GET /api/operations': at('/api/operations'),
    'GET /api/operations/{id}': at(report),
    'GET /api/operations/{id}/log': at(`${report}/log`),
    'GET /api/operations/{id}/events': at(`${report}/events`),
    'POST /api/events': send('/api/events', [{ t: 'sub', id: 1, list: 'mine' }]),
    'GET /api/ws': at('/api/ws'),
    'POST /api/operations/{id}/cancel': at(`${ended}/cancel`),
    'POST /api/operations/{id}/pause': at(`${ended}/pause`),
    'POST /api/operations/{id}/resume': at(`${ended}/resume`),
    'POST /api/operations/{id}/retry': at(`${ended}/retry`),
    'POST /api/operations': send('/api/operations', sheep),
    'PATCH /api/operations/{id}/progress': send(`${report}/progress`, {}),
    'POST /api/operations/{id}/end': send(`${ended}/end`, { state: 'succeeded' }),
    'GET /api/operations/{id}/grants': at(`${report}/grants`),
    'POST /api/operations/{id}/grants': send(`${report}/grants`, { userName: 'friend' }),
    'DELETE /api/operations/{id}/grants/{user}': async () => {
      await server.ask('POST', `${report}/grants`, { ...owner, body: { userName: 'friend' } });
      return { path: `${report}/grants/${friend}` };
    },
    'GET /api/operations/{id}/shares': at(`${report}/shares`),
    'POST /api/operations/{id}/shares': send(`${ended}/shares`, {}),
    'DELETE /api/operations/{id}/shares/{share}': async () => {
      const { json } = await server.ask('POST', `${ended}/shares`, { ...owner, body: {} });
      return { path: `${ended}/shares/${String(json['id'])}` };
    },
  };
}

function uploadProbes({ server, things, credentials }: Matrix): Rests {
  const upload = `/api/uploads/${things.upload}`;
  const headers = tusHeaders({});
  const making = (name: string): Record<string, string> =>
    tusHeaders({ 'upload-length': '9', 'upload-metadata': `filename ${btoa(name)}` });
  let made = 0;
  return {
    'GET /api/uploads': at('/api/uploads'),
    'POST /api/uploads': at('/api/uploads', { headers: making('sample.raw') }),
    'OPTIONS /api/uploads': at('/api/uploads', { headers }),
    'OPTIONS /api/uploads/{id}': at(upload, { headers }),
    'GET /api/uploads/{id}': at(upload),
    'HEAD /api/uploads/{id}': at(upload, { headers }),
    // The wrong offset.
    'PATCH /api/uploads/{id}': at(upload, {
      rawBody: 'x',
      headers: tusHeaders({ 'content-type': offsetType, 'upload-offset': '7' }),
    }),
    'DELETE /api/uploads/{id}': async () => {
      const answer = await server.ask('POST', '/api/uploads', {
        ...credentials.owner,
        headers: making(`gone-${(made += 1)}.raw`),
      });
      return { path: String(answer.headers.location), headers };
    },
    'POST /api/uploads/{id}/match': send(`${upload}/match`, { sizeBytes: 1, samples: [] }),
  };
}

function accessProbes({ server, things, credentials }: Matrix): Rests {
  return {
    'GET /api/session/profile': at('/api/session/profile'),
    'PUT /api/session/profile': send('/api/session/profile', {}),
    'GET /api/health': at('/api/health'),
    // Too short a name: it must not count as a guess.
    'POST /api/session': send('/api/session', {}),
    'POST /api/first-sign-in': send('/api/first-sign-in', {}),
    'GET /api/session': at('/api/session'),
    'DELETE /api/session': at('/api/session'),
    'PUT /api/session/password': send('/api/session/password', { current: 'x'.repeat(12), next: 'short' }),
    'POST /api/ws-tickets': send('/api/ws-tickets', { purpose: 'watch' }),
    'GET /api/users': at('/api/users'),
    'POST /api/users': send('/api/users', { name: 'viewer', role: 'viewer', password }),
    'PATCH /api/users/{id}': send(`/api/users/${things.users.friend}`, { role: 'operator' }),
    'GET /api/tokens': at('/api/tokens'),
    'POST /api/tokens': send('/api/tokens', { name: 'made', scope: 'read' }),
    'DELETE /api/tokens/{id}': async () => {
      const { json } = await server.ask('POST', '/api/tokens', {
        ...credentials.owner,
        body: { name: 'gone', scope: 'read' },
      });
      return { path: `/api/tokens/${String(json['id'])}` };
    },
    'GET /api/audit': at('/api/audit'),
    'GET /api/system/doctor': at('/api/system/doctor'),
    'GET /metrics': at('/metrics'),
    'GET /api/openapi.json': at('/api/openapi.json'),
    'GET /api/docs': at('/api/docs'),
  };
}
