export { createOpenApiDocument } from './document.ts';
export type { ApiOperation, ApiResponse, OpenApiDocument, Parameter } from './document.ts';
export { largestBodyBytes } from './largest-body.ts';
export type { JsonSchema } from './schemas.ts';
export { endpoints } from '../endpoints/endpoints.ts';
export type { Answer, Endpoint, Field, Method } from '../endpoints/endpoint.ts';
