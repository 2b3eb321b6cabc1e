import { accessEndpoints } from './access.ts';
import type { Endpoint } from './endpoint.ts';
import { imageEndpoints } from './images.ts';
import { machineEndpoints } from './machines.ts';
import { operationEndpoints } from './operations.ts';
import { uploadEndpoints } from './uploads.ts';

/** Every endpoint of the server. A test compares them with its routes, and with the calls of the client. */
export const endpoints: readonly Endpoint[] = [
  ...imageEndpoints,
  ...uploadEndpoints,
  ...machineEndpoints,
  ...operationEndpoints,
  ...accessEndpoints,
];
