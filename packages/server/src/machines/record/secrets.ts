import { ApiError } from '@wcc/api';
import type { FirstBoot } from '@wcc/api';
import type { SecretBox } from '../../storage/secret-box.ts';
import type { Store, WriteStatement } from '../../storage/store.ts';

/** The first-boot fields that no answer and no record may contain. */
export type FirstBootSecrets = Pick<FirstBoot, 'passwordHash' | 'userData'>;

/** Secret inputs of operations: encrypted, stored apart from the record, deleted when the operation ends. */
export interface OperationSecrets {
  /** The statement for the batch that accepts the operation. */
  keep(operationId: string, secrets: FirstBootSecrets): WriteStatement;
  /** @throws ApiError `secret_gone` */
  read(operationId: string): Promise<FirstBootSecrets>;
}

export function createOperationSecrets(store: Store, box: SecretBox): OperationSecrets {
  return {
    keep: (operationId, secrets) => ({
      query: store.db
        .insertInto('operationSecrets')
        .values({ operationId, sealed: box.seal(operationId, secrets) }),
    }),
    async read(operationId) {
      const row = await store.db
        .selectFrom('operationSecrets')
        .select('sealed')
        .where('operationId', '=', operationId)
        .executeTakeFirst();
      if (row === undefined) throw new ApiError('secret_gone');
      return box.open(operationId, row.sealed) as FirstBootSecrets;
    },
  };
}
