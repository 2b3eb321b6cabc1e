import type { ImageId, OperationId, PoolId, UserId, VmId } from '@wcc/api';
import type { Generated } from 'kysely';
import type { AuditAnchor } from './audit-anchor.ts';

/**
 * Every table of `wcc.sqlite`. Times are ISO 8601 text in UTC, `…Hash` is SHA-256 in hex, flags are 0 or 1,
 * JSON is text. Rows with concurrent changes have `rev` (compare-and-set) or `version`.
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
  uploadIdleTimes: UploadIdleTimesTable;
  nameReservations: NameReservationsTable;
  spaceReservations: SpaceReservationsTable;
  idempotencyKeys: IdempotencyKeysTable;
  grants: GrantsTable;
  shares: SharesTable;
  audit: AuditTable;
  auditAnchors: AuditAnchor;
  vms: VmsTable;
  vmDisks: VmDisksTable;
  operationSecrets: OperationSecretsTable;
  firstBootProfiles: FirstBootProfilesTable;
}

interface SettingsTable {
  key: string;
  value: string;
}

/** Short numbers of images and machines; `value` is the next number. */
interface CountersTable {
  name: string;
  value: number;
}

/** User accounts. */
export interface UsersTable {
  id: UserId;
  name: string;
  role: 'admin' | 'operator' | 'viewer';
  /** argon2id in PHC form; null: no sign-in with a password. */
  passwordHash: string | null;
  disabled: number;
  /** Increases with every change of password, role or `disabled`; sessions of an older version are invalid. */
  version: Generated<number>;
  createdAt: string;
}

/** Sessions of browsers; a deleted row is an ended session. */
export interface SessionsTable {
  idHash: string;
  /** Null: a session of a version before 0.2.0, which nothing can use. */
  pageKeyHash: string | null;
  userId: UserId;
  /** `users.version` at the sign-in. */
  version: number;
  createdAt: string;
  expiresAt: string;
  lastSeenAt: string;
  address: string;
}

/** Bearer tokens. Revoked tokens stay, because the audit record names them. */
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
  /** Null: unknown, because 0.1.0 did not store it. */
  ctimeNs: string | null;
  owner: string | null;
  copiedFrom: ImageId | null;
  /** 1: was a disk of a machine, or a copy of one: only its owner and administrators see it. */
  private: Generated<number>;
  /**
   * 1: a raw disk stays raw whatever its content is, because a guest may have written it, or a person said so. Unknown content stays
   * an ISO, because a person said so.
   */
  fixedFormat: Generated<number>;
  /** 1: new machines can be created from this image. */
  template: Generated<number>;
  /** SHA-256 in hex of the file that `digestOf` names; null: not computed. */
  sha256: Generated<string | null>;
  /** `<inode>:<size>:<mtime in ns>:<ctime in ns>` of the file that `sha256` was computed from. */
  digestOf: Generated<string | null>;
  createdAt: string;
  /** JSON array: codes of what is odd about the content. */
  remarks: Generated<string>;
  /** The base image of an overlay. */
  baseId: Generated<ImageId | null>;
  /**
   * The file that overlays of this image were made on, as in `digestOf`; a change time that is unknown is empty. Null: no
   * overlays.
   */
  baseFile: Generated<string | null>;
  /** SHA-256 in hex of the file that `baseFile` names; null: not computed. */
  baseSha256: Generated<string | null>;
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
  /** By the retention clock; `record` has the wall-clock time. Null while the operation is unfinished. */
  endedAt: string | null;
  rev: Generated<number>;
  input: string;
  record: string;
  /** Running time, saved every few seconds; `record` has the time of its last commit. */
  elapsedMs: Generated<number>;
}

interface OperationLogTable {
  operationId: OperationId;
  number: number;
  at: string;
  kind: string;
  text: string;
}

/** Identity of a remote file at its first byte, so that a restart does not combine two files. */
interface ImportsTable {
  operationId: OperationId;
  /** Entity tag or modification time; null: the import cannot resume. */
  validator: string | null;
  totalBytes: number | null;
}

/** Since when an upload has waited for its client. A row is missing while bytes arrive. */
interface UploadIdleTimesTable {
  operationId: OperationId;
  /** By the retention clock. */
  sinceMs: number;
  offsetBytes: number;
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

/** Access of one user to one operation of another user. */
export interface GrantsTable {
  operationId: OperationId;
  userId: UserId;
  level: 'watch' | 'control';
  /** Name of the user who granted it. */
  grantedBy: string;
  createdAt: string;
}

/** Share links. Revoked links stay, because the audit record names them. */
export interface SharesTable {
  id: string;
  operationId: OperationId;
  name: string;
  secretHash: string;
  /** The user whose right it lends, or `admin-token`. */
  creatorId: string;
  creatorName: string;
  /** The id of the token, or the key of the administrator's token, that made it; null: a session. */
  madeBy: Generated<string | null>;
  createdAt: string;
  expiresAt: string;
  revokedAt: string | null;
}

/** Append-only: triggers forbid UPDATE and DELETE, and `hash` chains each row to the previous row. */
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
 * Machines of wcc. In the states `making` (being provisioned) and `deleting`, the machine belongs to the operation
 * `operationId`. `abandoned`: the operation has failed, and some of its files still exist.
 */
export interface VmsTable {
  id: VmId;
  uuid: string;
  name: string;
  poolId: PoolId;
  ownerId: UserId;
  ownerName: string;
  state: 'making' | 'ready' | 'deleting' | 'abandoned';
  /** The operation that works on the machine. It excludes all others. */
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
  /** The bus of its CD drives. */
  cdBus: 'scsi' | 'sata';
  createdAt: string;
  /** Why wcc itself has paused it; null: it has not, or a person has acted since. */
  pausedFor: 'emergency_floor' | null;
  /** 1: wcc starts it after a boot of the host, in the order of `autostartOrder` and `id`. */
  autostart: Generated<number>;
  autostartOrder: Generated<number>;
  autostartDelaySeconds: Generated<number>;
}

/** Disks of machines, including planned disks. `sourceId`: the source image during creation. */
export interface VmDisksTable {
  vmId: VmId;
  /** From 0. Disk 0 is the boot disk. */
  position: number;
  /** The number of its image. The image is registered when the machine is complete. */
  imageId: ImageId;
  name: string;
  format: 'raw' | 'qcow2';
  sizeBytes: number;
  sourceId: ImageId | null;
  baseId: ImageId | null;
  /** Decimal text; null until the file is published. */
  inode: string | null;
}

/** Encrypted secret inputs of operations; the end of the operation deletes them. */
interface OperationSecretsTable {
  operationId: OperationId;
  sealed: string;
}

interface FirstBootProfilesTable {
  userId: UserId;
  /** JSON. */
  profile: string;
}
