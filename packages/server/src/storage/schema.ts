import type { ImageId, OperationId, PoolId, UserId, VmId } from '@wcc/api';
import type { Generated } from 'kysely';

/**
 * Every table of `wcc.sqlite`. Times are ISO 8601 text in UTC, `…Hash` is SHA-256 in hex, flags are 0 or 1,
 * JSON is text. Rows that can be contended carry `rev` (compare-and-set) or `version`.
 */
export interface Database {
  settings: SettingsTable;
  counters: CountersTable;
  users: UsersTable;
  sessions: SessionsTable;
  tokens: TokensTable;
  pools: PoolsTable;
  images: ImagesTable;
  operations: OperationsTable;
  operationLog: OperationLogTable;
  imports: ImportsTable;
  nameReservations: NameReservationsTable;
  spaceReservations: SpaceReservationsTable;
  idempotencyKeys: IdempotencyKeysTable;
  grants: GrantsTable;
  shares: SharesTable;
  audit: AuditTable;
  vms: VmsTable;
  vmDisks: VmDisksTable;
  operationSecrets: OperationSecretsTable;
  firstBootProfiles: FirstBootProfilesTable;
}

interface SettingsTable {
  key: string;
  value: string;
}

/** Short numbers that people see; `value` is the next one to give away. */
interface CountersTable {
  name: string;
  value: number;
}

/** People who may sign in. */
export interface UsersTable {
  id: UserId;
  name: string;
  role: 'admin' | 'operator' | 'viewer';
  /** argon2id in PHC form; null: cannot sign in by password. */
  passwordHash: string | null;
  disabled: number;
  /** Rises with every change of password, role or `disabled`; sessions of an older version are dead. */
  version: Generated<number>;
  createdAt: string;
}

/** Signed-in browsers; a row that is gone is a session that is over. */
export interface SessionsTable {
  idHash: string;
  userId: UserId;
  /** `users.version` when it was made. */
  version: number;
  createdAt: string;
  expiresAt: string;
  lastSeenAt: string;
  address: string;
}

/** Bearer tokens; revoked ones stay, because the audit record names them. */
export interface TokensTable {
  id: string;
  userId: UserId;
  name: string;
  secretHash: string;
  scope: 'read' | 'write' | 'publish';
  createdAt: string;
  expiresAt: string;
  lastUsedAt: string | null;
  revokedAt: string | null;
}

interface PoolsTable {
  id: PoolId;
  name: string;
  path: string;
  createdAt: string;
}

interface ImagesTable {
  id: ImageId;
  poolId: PoolId;
  name: string;
  format: 'raw' | 'qcow2' | 'iso' | null;
  virtualSizeBytes: number;
  sizeBytes: number;
  dataBytes: number;
  state: 'ready' | 'missing' | 'refused';
  stateReason: string | null;
  /** Decimal text: inode numbers and nanoseconds exceed 2^53. */
  inode: string;
  mtimeNs: string;
  owner: string | null;
  copiedFrom: ImageId | null;
  /** What new machines are made of. */
  template: Generated<number>;
  /** In hex, of the file that `digestOf` names; null: not computed. */
  sha256: Generated<string | null>;
  /** `<inode>:<size>:<mtime in ns>` of the file that `sha256` was computed from. */
  digestOf: Generated<string | null>;
  createdAt: string;
  /** The image that an overlay needs below it. */
  baseId: Generated<ImageId | null>;
  rev: Generated<number>;
}

interface OperationsTable {
  id: OperationId;
  label: string;
  action: string;
  state: string;
  ownerId: UserId;
  subjectKind: string;
  subjectId: string | null;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  rev: Generated<number>;
  input: string;
  record: string;
  /** Noted every few seconds while it runs; `record` has the time of its last commit. */
  elapsedMs: Generated<number>;
}

interface OperationLogTable {
  operationId: OperationId;
  number: number;
  at: string;
  kind: string;
  text: string;
}

/** What was known of a remote file when its first byte came: a restart must not glue two files together. */
interface ImportsTable {
  operationId: OperationId;
  /** Entity tag or time of change; null: it cannot be gone on with. */
  validator: string | null;
  totalBytes: number | null;
}

interface NameReservationsTable {
  poolId: PoolId;
  name: string;
  operationId: OperationId;
}

interface SpaceReservationsTable {
  operationId: OperationId;
  poolId: PoolId;
  bytes: number;
}

interface IdempotencyKeysTable {
  scope: string;
  bodyHash: string;
  operationId: OperationId;
  createdAt: string;
}

/** What one user may do with one operation of somebody else. */
export interface GrantsTable {
  operationId: OperationId;
  userId: UserId;
  level: 'watch' | 'control';
  /** Name of who granted it. */
  grantedBy: UserId;
  createdAt: string;
}

/** Links that show one operation; revoked ones stay, because the audit record names them. */
export interface SharesTable {
  id: string;
  operationId: OperationId;
  name: string;
  secretHash: string;
  /** The user whose right it is lent from; `admin-token` is no user. */
  creatorId: string;
  creatorName: string;
  createdAt: string;
  expiresAt: string;
  revokedAt: string | null;
}

/** Append-only: triggers forbid UPDATE and DELETE, `hash` chains each row to the one before. */
interface AuditTable {
  number: Generated<number>;
  at: string;
  who: string;
  address: string;
  what: string;
  subject: string | null;
  result: string;
  previousHash: string;
  hash: string;
}

/**
 * Machines of wcc. `making` (being provisioned) and `deleting` belong to the operation `operationId`. `abandoned`: the
 * operation has failed, and some of its files could not be removed yet.
 */
export interface VmsTable {
  id: VmId;
  uuid: string;
  name: string;
  poolId: PoolId;
  ownerId: UserId;
  ownerName: string;
  state: 'making' | 'ready' | 'deleting' | 'abandoned';
  /** What works on it: nothing else may meanwhile. */
  operationId: OperationId | null;
  cpus: number;
  memoryBytes: number;
  firmware: 'bios' | 'uefi';
  networkKind: 'user' | 'bridge' | 'network' | 'none';
  networkName: string | null;
  mac: string;
  /** JSON array. */
  bootOrder: string;
  cdromImageId: ImageId | null;
  hasSeed: number;
  createdAt: string;
}

/** Disks of machines, planned ones too. `sourceId`: what it is copied from while it is made. */
export interface VmDisksTable {
  vmId: VmId;
  /** From 0; the first one is booted. */
  position: number;
  /** The number that its image has, or gets with the machine's completion. */
  imageId: ImageId;
  name: string;
  format: 'raw' | 'qcow2';
  sizeBytes: number;
  sourceId: ImageId | null;
  baseId: ImageId | null;
  /** Decimal text; null until the file stands complete under its name. */
  inode: string | null;
}

/** Secret inputs of operations, encrypted; they die with the operation's end. */
interface OperationSecretsTable {
  operationId: OperationId;
  sealed: string;
}

interface FirstBootProfilesTable {
  userId: UserId;
  /** JSON. */
  profile: string;
}
