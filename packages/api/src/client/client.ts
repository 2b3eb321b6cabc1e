import type {
  AuditList,
  ChangePasswordRequest,
  ChangeUserRequest,
  CreatedShare,
  CreatedToken,
  CreateGrantRequest,
  CreateShareRequest,
  CreateTokenRequest,
  CreateUserRequest,
  FirstSignInRequest,
  Grant,
  GrantList,
  Health,
  NewSession,
  Session,
  ShareList,
  SignInRequest,
  TokenList,
  User,
  UserList,
} from '../access.ts';
import type { DoctorReport } from '../doctor/report.ts';
import type { FirstBootProfile, FirstBootProfileRequest } from '../first-boot.ts';
import type { ImageId } from '../ids.ts';
import type {
  ChangeImageRequest,
  ConvertImageRequest,
  CopyImageRequest,
  CopyPlan,
  ImportFacts,
  Image,
  ImageList,
  ImportImageRequest,
  SampleImageRequest,
  VerifyImageRequest,
} from '../images.ts';
import type {
  Accepted,
  EndOperationRequest,
  Operation,
  OperationList,
  OperationLog,
  OperationQuery,
  PublishOperationRequest,
  ReportProgressRequest,
} from '../operations.ts';
import type { PoolList, OrphanList, RescanResult } from '../pools.ts';
import { routes } from '../routes.ts';
import { machineCalls } from './machine-calls.ts';
import { createSend, keyHeader } from './request.ts';
import type { MatchedUpload, MatchUploadRequest, Upload, UploadList } from '../uploads.ts';
import type { ApiClientOptions, Send } from './request.ts';
import { ticketCalls } from './tickets.ts';

export type { ApiClientOptions } from './request.ts';

export type ApiClient = ReturnType<typeof createApiClient>;

/** The typed client of the whole API. Every call throws `ApiProblem` when the server refuses or does not answer. */
export function createApiClient(options: ApiClientOptions = {}) {
  const send = createSend(options);
  return {
    /** Also for `degraded`, which the server answers with 503 while it cannot write. */
    health: () => send<Health>('GET', routes.health(), { has: 'status', alsoOn: 503 }),
    ...accessCalls(send),
    ...ticketCalls(send),
    ...imageCalls(send),
    ...uploadCalls(send),
    ...operationCalls(send),
    ...machineCalls(send),
  };
}

function accessCalls(send: Send) {
  return {
    session: () => send<Session>('GET', routes.session(), { has: 'user' }),
    signIn: (body: SignInRequest) => send<NewSession>('POST', routes.session(), { has: 'user', body }),
    firstSignIn: (body: FirstSignInRequest) =>
      send<NewSession>('POST', routes.firstSignIn(), { has: 'user', body }),
    profile: () => send<FirstBootProfile>('GET', routes.profile()),
    changeProfile: (body: FirstBootProfileRequest) =>
      send<FirstBootProfile>('PUT', routes.profile(), { body }),
    signOut: () => send<undefined>('DELETE', routes.session()),
    users: () => send<UserList>('GET', routes.users(), { has: 'items' }),
    createUser: (body: CreateUserRequest) => send<User>('POST', routes.users(), { has: 'role', body }),
    changeUser: (id: string, body: ChangeUserRequest) =>
      send<User>('PATCH', routes.user(id), { has: 'role', body }),
    changePassword: (body: ChangePasswordRequest) => send<undefined>('PUT', routes.password(), { body }),
    tokens: (query: { owner?: 'me' | 'all' } = {}) =>
      send<TokenList>('GET', routes.tokens(), { has: 'items', query }),
    createToken: (body: CreateTokenRequest) =>
      send<CreatedToken>('POST', routes.tokens(), { has: 'secret', body }),
    revokeToken: (id: string) => send<undefined>('DELETE', routes.token(id)),
    audit: (query: { who?: string; what?: string; cursor?: string; limit?: number } = {}) =>
      send<AuditList>('GET', routes.audit(), { has: 'items', query }),
    doctor: () => send<DoctorReport>('GET', routes.doctor(), { has: 'checks' }),
  };
}

function imageCalls(send: Send) {
  return {
    pools: () => send<PoolList>('GET', routes.pools(), { has: 'items' }),
    rescan: (pool: string) => send<RescanResult>('POST', routes.rescan(pool), { has: 'added' }),
    orphans: (pool: string) => send<OrphanList>('GET', routes.orphans(pool), { has: 'items' }),
    removeOrphan: (pool: string, id: string) => send<undefined>('DELETE', routes.orphan(pool, id)),
    images: (query: { cursor?: string; limit?: number } = {}) =>
      send<ImageList>('GET', routes.images(), { has: 'items', query }),
    image: (id: ImageId) => send<Image>('GET', routes.image(id), { has: 'format' }),
    /** An abort of the signal also ends the server's look at the file. */
    copyPlan: (id: ImageId, query: { name?: string } = {}, signal?: AbortSignal) =>
      send<CopyPlan>('GET', routes.copyPlan(id), { query, ...(signal ? { signal } : {}) }),
    copyImage: (id: ImageId, body: CopyImageRequest, idempotencyKey?: string) =>
      send<Accepted>('POST', routes.copyImage(id), { has: 'operation', body, ...keyHeader(idempotencyKey) }),
    convertImage: (id: ImageId, body: ConvertImageRequest, idempotencyKey?: string) =>
      send<Accepted>('POST', routes.convertImage(id), {
        has: 'operation',
        body,
        ...keyHeader(idempotencyKey),
      }),
    verifyImage: (id: ImageId, body: VerifyImageRequest = {}, idempotencyKey?: string) =>
      send<Accepted>('POST', routes.verifyImage(id), {
        has: 'operation',
        body,
        ...keyHeader(idempotencyKey),
      }),
    importImage: (body: ImportImageRequest, idempotencyKey?: string) =>
      send<Accepted>('POST', routes.importImage(), { has: 'operation', body, ...keyHeader(idempotencyKey) }),
    importFacts: (url: string) =>
      send<ImportFacts>('POST', routes.importFacts(), { has: 'remarks', body: { url } }),
    changeImage: (id: ImageId, body: ChangeImageRequest) =>
      send<Image>('PATCH', routes.image(id), { has: 'format', body }),
    deleteImage: (id: ImageId, idempotencyKey?: string) =>
      send<Accepted>('DELETE', routes.image(id), { has: 'operation', ...keyHeader(idempotencyKey) }),
    makeSampleImage: (body: SampleImageRequest = {}, idempotencyKey?: string) =>
      send<Accepted>('POST', routes.sampleImage(), { has: 'operation', body, ...keyHeader(idempotencyKey) }),
  };
}

/** Calls about uploads. A tus client sends the bytes. */
function uploadCalls(send: Send) {
  return {
    uploads: (query: { owner?: 'me' | 'all' } = {}) =>
      send<UploadList>('GET', routes.uploads(), { has: 'items', query }),
    upload: (id: string) => send<Upload>('GET', routes.upload(id)),
    matchUpload: (id: string, body: MatchUploadRequest) =>
      send<MatchedUpload>('POST', routes.matchUpload(id), { body }),
  };
}

function operationCalls(send: Send) {
  return {
    operations: (query: OperationQuery = {}) =>
      send<OperationList>('GET', routes.operations(), {
        has: 'items',
        query: { ...query, limit: Number(query.limit ?? 50) },
      }),
    operation: (id: string) => send<Operation>('GET', routes.operation(id), { has: 'state' }),
    operationLog: (id: string) => send<OperationLog>('GET', routes.operationLog(id), { has: 'items' }),
    cancel: (id: string) => send<Accepted>('POST', routes.operationVerb(id, 'cancel'), { has: 'operation' }),
    pause: (id: string) => send<Accepted>('POST', routes.operationVerb(id, 'pause'), { has: 'operation' }),
    resume: (id: string) => send<Accepted>('POST', routes.operationVerb(id, 'resume'), { has: 'operation' }),
    retry: (id: string) => send<Accepted>('POST', routes.operationVerb(id, 'retry'), { has: 'operation' }),
    ...publishingCalls(send),
    ...sharingCalls(send),
  };
}

function publishingCalls(send: Send) {
  return {
    publish: (body: PublishOperationRequest, idempotencyKey?: string) =>
      send<Accepted>('POST', routes.operations(), { has: 'operation', body, ...keyHeader(idempotencyKey) }),
    reportProgress: (id: string, body: ReportProgressRequest = {}) =>
      send<Accepted>('PATCH', routes.operationProgress(id), { has: 'operation', body }),
    endOperation: (id: string, body: EndOperationRequest) =>
      send<Accepted>('POST', routes.operationEnd(id), { has: 'operation', body }),
  };
}

function sharingCalls(send: Send) {
  return {
    grants: (operation: string) => send<GrantList>('GET', routes.grants(operation), { has: 'items' }),
    createGrant: (operation: string, body: CreateGrantRequest) =>
      send<Grant>('POST', routes.grants(operation), { has: 'level', body }),
    revokeGrant: (operation: string, user: string) =>
      send<undefined>('DELETE', routes.grant(operation, user)),
    shares: (operation: string) => send<ShareList>('GET', routes.shares(operation), { has: 'items' }),
    createShare: (operation: string, body: CreateShareRequest = {}) =>
      send<CreatedShare>('POST', routes.shares(operation), { has: 'secret', body }),
    revokeShare: (operation: string, id: string) => send<undefined>('DELETE', routes.share(operation, id)),
  };
}
