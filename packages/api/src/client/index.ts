export { createApiClient } from './client.ts';
export type { ApiClient, ApiClientOptions } from './client.ts';
export { ApiProblem, readProblem } from './problem.ts';
