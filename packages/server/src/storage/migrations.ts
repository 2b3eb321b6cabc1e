import { bases, contentRemarks, fixedFormats } from './migrations/images.ts';
import { autostarts } from './migrations/machines.ts';

/** One forward step of the schema. Its position in the list is the resulting `user_version`. */
export interface Migration {
  name: string;
  statements: readonly string[];
}

const access = [
  `create table settings (key text primary key, value text not null) strict, without rowid`,
  `create table counters (name text primary key, value integer not null) strict, without rowid`,
  `create table users (
    id text primary key, name text not null unique,
    role text not null check (role in ('admin', 'operator', 'viewer')),
    passwordHash text, disabled integer not null default 0 check (disabled in (0, 1)),
    version integer not null default 1, createdAt text not null
  ) strict`,
  `create table sessions (
    idHash text primary key, userId text not null references users (id), version integer not null,
    createdAt text not null, expiresAt text not null, lastSeenAt text not null, address text not null
  ) strict`,
  `create index sessionsByUser on sessions (userId)`,
  `create index sessionsByExpiry on sessions (expiresAt)`,
  `create table tokens (
    id text primary key, userId text not null references users (id), name text not null,
    secretHash text not null unique, scope text not null check (scope in ('read', 'write', 'publish')),
    createdAt text not null, expiresAt text not null, lastUsedAt text, revokedAt text
  ) strict`,
  `create index tokensByUser on tokens (userId)`,
];

const images = [
  `create table pools (
    id text primary key, name text not null unique, path text not null unique, createdAt text not null
  ) strict`,
  `create table images (
    id integer primary key check (id >= 100), poolId text not null references pools (id), name text not null,
    format text check (format in ('raw', 'qcow2', 'iso')),
    virtualSizeBytes integer not null, sizeBytes integer not null, dataBytes integer not null,
    state text not null check (state in ('ready', 'missing', 'refused')), stateReason text,
    inode text not null, mtimeNs text not null, owner text, copiedFrom integer,
    createdAt text not null, rev integer not null default 1
  ) strict`,
  // A record outlives its file: its name is free again when the file is gone.
  `create unique index imagesByName on images (poolId, name) where state <> 'missing'`,
];

const operations = [
  `create table operations (
    id text primary key, label text not null, action text not null, state text not null,
    ownerId text not null, subjectKind text not null, subjectId text,
    createdAt text not null, startedAt text, endedAt text, rev integer not null default 1,
    input text not null, record text not null
  ) strict`,
  `create index operationsByTime on operations (createdAt, id)`,
  `create index operationsByState on operations (state, createdAt)`,
  `create index operationsByOwner on operations (ownerId, createdAt)`,
  `create index operationsByAction on operations (action, createdAt)`,
  `create index operationsBySubject on operations (subjectKind, subjectId, createdAt)`,
  `create table operationLog (
    operationId text not null references operations (id) on delete cascade, number integer not null,
    at text not null, kind text not null, text text not null, primary key (operationId, number)
  ) strict, without rowid`,
  `create table nameReservations (
    poolId text not null, name text not null, operationId text not null, primary key (poolId, name)
  ) strict, without rowid`,
  `create table spaceReservations (
    operationId text primary key, poolId text not null, bytes integer not null
  ) strict, without rowid`,
  `create table idempotencyKeys (
    scope text primary key, bodyHash text not null, operationId text not null, createdAt text not null
  ) strict, without rowid`,
];

const sharing = [
  `create table grants (
    operationId text not null references operations (id) on delete cascade,
    userId text not null references users (id), level text not null check (level in ('watch', 'control')),
    grantedBy text not null, createdAt text not null, primary key (operationId, userId)
  ) strict, without rowid`,
  `create index grantsByUser on grants (userId)`,
  `create table shares (
    id text primary key, operationId text not null references operations (id) on delete cascade,
    name text not null, secretHash text not null unique, creatorId text not null, creatorName text not null,
    createdAt text not null, expiresAt text not null, revokedAt text
  ) strict`,
  `create index sharesByOperation on shares (operationId)`,
];

const machines = [
  `create table vms (
    id integer primary key check (id >= 100), uuid text not null unique, name text not null unique,
    poolId text not null references pools (id), ownerId text not null, ownerName text not null,
    state text not null check (state in ('making', 'ready', 'deleting', 'abandoned')), operationId text,
    cpus integer not null, memoryBytes integer not null, firmware text not null check (firmware in ('bios', 'uefi')),
    networkKind text not null check (networkKind in ('user', 'bridge', 'network', 'none')), networkName text,
    mac text not null, bootOrder text not null, cdromImageId integer, hasSeed integer not null check (hasSeed in (0, 1)),
    createdAt text not null
  ) strict`,
  `create table vmDisks (
    vmId integer not null references vms (id) on delete cascade, position integer not null, imageId integer not null,
    name text not null, format text not null check (format in ('raw', 'qcow2')), sizeBytes integer not null,
    sourceId integer, baseId integer, inode text, primary key (vmId, position)
  ) strict, without rowid`,
  `create index vmDisksByImage on vmDisks (imageId)`,
  // An overlay holds only what differs from its base.
  `alter table images add column baseId integer`,
  `create table operationSecrets (
    operationId text primary key references operations (id) on delete cascade, sealed text not null
  ) strict, without rowid`,
  `create table firstBootProfiles (userId text primary key, profile text not null) strict, without rowid`,
];

const audit = [
  `create table audit (
    number integer primary key autoincrement, at text not null, who text not null, address text not null,
    what text not null, subject text, result text not null, previousHash text not null, hash text not null unique
  ) strict`,
  `create trigger auditForbidsUpdate before update on audit
    begin select raise(abort, 'the audit record is append-only'); end`,
  `create trigger auditForbidsDelete before delete on audit
    begin select raise(abort, 'the audit record is append-only'); end`,
];

const imageFacts = [
  `alter table images add column template integer not null default 0 check (template in (0, 1))`,
  `alter table images add column sha256 text`,
  `alter table images add column digestOf text`,
];

const imports = [
  `create table imports (
    operationId text primary key references operations (id) on delete cascade, validator text, totalBytes integer
  ) strict, without rowid`,
];

/** The latest saved running time; newer than the record of a running operation. */
const runningTimes = [`alter table operations add column elapsedMs integer not null default 0`];

const auditAnchors = [
  `create table auditAnchors (
    number integer not null, keyId text not null, at text not null, hash text not null, mac text not null,
    primary key (number, keyId)
  ) strict, without rowid`,
  `create trigger auditAnchorsForbidUpdate before update on auditAnchors
    begin select raise(abort, 'the anchors of the audit record are append-only'); end`,
  `create trigger auditAnchorsForbidDelete before delete on auditAnchors
    begin select raise(abort, 'the anchors of the audit record are append-only'); end`,
];

/**
 * A link ends with the token that made it. Earlier rows do not name a token: links of the administrator's token end
 * now, because nothing shows which token made them.
 */
const makersOfShares = [
  `alter table shares add column madeBy text`,
  `update shares set revokedAt = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    where creatorId = 'admin-token' and revokedAt is null`,
];

/** Inputs of image actions hold the request that a retry repeats; until 0.1.0 they held its parts. */
const storedRequests = [
  ...storeRequest('copy_vm_image', {
    id: 'sourceId',
    body: {
      name: 'targetName',
      pool: 'poolId',
      method: 'method',
      bytesPerSecond: 'bytesPerSecond',
      verify: 'verify',
    },
  }),
  ...storeRequest('convert_image', {
    id: 'sourceId',
    body: { name: 'targetName', pool: 'poolId', format: 'format', compress: 'compress' },
  }),
  ...storeRequest('verify_image', { id: 'sourceId', body: { 'sha256?': 'sha256' } }),
  ...storeRequest('delete_image', { id: 'sourceId' }),
  ...storeRequest('make_sample_image', {
    poolId: 'poolId',
    body: { name: 'targetName', sizeBytes: 'sizeBytes' },
  }),
  ...storeRequest('import_image', {
    body: { url: 'url', name: 'targetName', pool: 'poolId', 'sha256?': 'sha256', 'format?': 'format' },
  }),
];

/** Field of a request → field of the input. */
interface Fields {
  [field: string]: string | Fields;
}

function storeRequest(action: string, fields: Fields): string[] {
  return [
    `update operations set input = json_set(input, '$.request', ${jsonOf(fields)}) where action = '${action}'`,
  ];
}

/** A field whose name ends with `?` is left out where the input has null: it was not requested. */
function jsonOf(fields: Fields): string {
  const members = Object.entries(fields).map(([name, from]) => {
    const value = typeof from === 'string' ? `json(input -> '$.${from}')` : jsonOf(from);
    return { name: name.replace('?', ''), value, isOptional: name.endsWith('?') };
  });
  const objectOf = (isOptional: boolean): string => {
    const some = members.filter((member) => member.isOptional === isOptional);
    return `json_object(${some.map(({ name, value }) => `'${name}', ${value}`).join(', ')})`;
  };
  // A merge patch removes members that are null.
  return `json_patch(${objectOf(false)}, ${objectOf(true)})`;
}

/** A program can set the modification time of a file back, but not its change time. */
const changeTimes = [`alter table images add column ctimeNs text`];

/** A machine that wcc has paused is resumed by wcc, also after a restart. */
const emergencyPauses = [
  `alter table vms add column pausedFor text check (pausedFor in ('emergency_floor'))`,
];

/** What was a disk of a machine stays private, also of machines whose creation is still in the history. */
const privateImages = [
  `alter table images add column private integer not null default 0 check (private in (0, 1))`,
  `update images set private = 1 where id in (select imageId from vmDisks)`,
  `update images set private = 1 where id in (
    select disk.value ->> '$.imageId' from operations, json_each(operations.input, '$.disks') as disk
    where operations.action in ('create_vm', 'quick_create_vm', 'copy_vm') and operations.state = 'succeeded'
      and json_type(operations.input, '$.disks') = 'array' and json_type(operations.input, '$.published') is null
  )`,
];

/** Sessions from before have no page key: their users sign in again. */
const pageKeys = [
  `alter table sessions add column pageKeyHash text`,
  `create unique index sessionsByPageKey on sessions (pageKeyHash)`,
];

/**
 * Indexes for every question about a history of a million operations. Lists are read in the order of an index, state by
 * state, and the last columns of an index decide a further filter without the row. `endedAt` is null while an operation
 * is unfinished, so one index finds unfinished, recent and old operations.
 */
const historyIndexes = [
  'drop index operationsByState',
  'drop index operationsByOwner',
  'drop index operationsByAction',
  'drop index operationsBySubject',
  `create index operationsByState on operations (state, createdAt, id, action, ownerId)`,
  `create index operationsByOwner on operations (ownerId, state, createdAt, id, action)`,
  `create index operationsByAction on operations (action, state, createdAt, id, ownerId)`,
  `create index operationsBySubject on operations (subjectKind, subjectId, state, createdAt, id)`,
  `create index operationsByEnd on operations (endedAt, id)`,
  `create index idempotencyKeysByTime on idempotencyKeys (createdAt)`,
  `create index nameReservationsByOperation on nameReservations (operationId)`,
  `create index sessionsByUse on sessions (lastSeenAt)`,
  `create index tokensInForce on tokens (createdAt) where revokedAt is null`,
  `create index imagesByPool on images (poolId, name)`,
  `create index imagesByPrivacy on images (private)`,
  `create index imagesByBase on images (baseId) where baseId is not null`,
  `create index auditByWhat on audit (what)`,
  `create index auditByWho on audit (who, what)`,
];

/** Since when an upload has waited for its client, in milliseconds of the retention clock, and at which offset. */
const uploadIdleTimes = [
  `create table uploadIdleTimes (
    operationId text primary key references operations (id) on delete cascade,
    sinceMs integer not null, offsetBytes integer not null
  ) strict, without rowid`,
];

/** The drives of machines from before stay on SATA: their guests know them there. */
const cdBuses = [
  `alter table vms add column cdBus text not null default 'sata' check (cdBus in ('scsi', 'sata'))`,
];

/** Released steps never change; new steps are added at the end. */
export const migrations: readonly Migration[] = [
  { name: '0001-first', statements: [...access, ...images, ...operations, ...sharing, ...audit] },
  { name: '0002-image-facts', statements: imageFacts },
  { name: '0003-imports', statements: imports },
  { name: '0004-machines', statements: machines },
  { name: '0005-running-times', statements: runningTimes },
  { name: '0006-stored-requests', statements: storedRequests },
  { name: '0007-change-times', statements: changeTimes },
  { name: '0008-audit-anchors', statements: auditAnchors },
  { name: '0009-emergency-pauses', statements: emergencyPauses },
  { name: '0010-private-images', statements: privateImages },
  { name: '0011-page-keys', statements: pageKeys },
  { name: '0012-makers-of-shares', statements: makersOfShares },
  { name: '0013-history-indexes', statements: historyIndexes },
  { name: '0014-upload-idle-times', statements: uploadIdleTimes },
  { name: '0015-fixed-formats', statements: fixedFormats },
  { name: '0016-cd-buses', statements: cdBuses },
  { name: '0017-bases', statements: bases },
  { name: '0018-content-remarks', statements: contentRemarks },
  { name: '0019-autostarts', statements: autostarts },
];
