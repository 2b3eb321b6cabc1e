import { tus } from '@wcc/api';
import type { TusAnswer } from './headers.ts';

/** tus, "OPTIONS": the Server's versions and extensions. A Client SHOULD NOT send Tus-Resumable here. */
export function describeProtocol(): TusAnswer {
  return {
    status: 204,
    headers: {
      'tus-version': tus.version,
      'tus-extension': tus.extensions.join(','),
      'tus-checksum-algorithm': tus.checksumAlgorithms.join(','),
    },
  };
}
