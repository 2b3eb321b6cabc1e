export { createApiClient } from './client.ts';
export type { ApiClient, ApiClientOptions } from './client.ts';
export { ApiProblem, foreignAnswer, readProblem } from './problem.ts';
export type { ClientErrorCode } from './problem.ts';
export type { ApiFetch, ApiRequestInit, ApiResponse } from './fetch.ts';
