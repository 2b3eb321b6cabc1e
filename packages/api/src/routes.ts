/** Every address of the API, made in one place. */
const enc = (part: string | number): string => encodeURIComponent(String(part));

export const routes = {
  health: () => '/api/health',
  session: () => '/api/session',
  firstSignIn: () => '/api/first-sign-in',
  tickets: () => '/api/ws-tickets',
  socket: () => '/api/ws',
  users: () => '/api/users',
  user: (id: string) => `/api/users/${enc(id)}`,
  tokens: () => '/api/tokens',
  token: (id: string) => `/api/tokens/${enc(id)}`,
  audit: () => '/api/audit',
  pools: () => '/api/pools',
  rescan: (pool: string) => `/api/pools/${enc(pool)}/rescan`,
  remains: (pool: string) => `/api/pools/${enc(pool)}/remains`,
  remain: (pool: string, id: string) => `/api/pools/${enc(pool)}/remains/${enc(id)}`,
  images: () => '/api/images',
  image: (id: number) => `/api/images/${enc(id)}`,
  sampleImage: () => '/api/images/sample',
  copyImage: (id: number) => `/api/images/${enc(id)}/copy`,
  copyPlan: (id: number) => `/api/images/${enc(id)}/copy-plan`,
  operations: () => '/api/operations',
  operation: (id: string) => `/api/operations/${enc(id)}`,
  operationVerb: (id: string, verb: 'cancel' | 'pause' | 'resume' | 'retry') =>
    `/api/operations/${enc(id)}/${verb}`,
  operationLog: (id: string) => `/api/operations/${enc(id)}/log`,
} as const;
