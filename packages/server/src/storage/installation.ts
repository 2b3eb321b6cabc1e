import { randomUUID } from 'node:crypto';
import type { Store } from './store.ts';

/** Id of this installation, for the markers of its pools. The first start creates it. */
export async function readInstallationId(store: Store): Promise<string> {
  const query = store.db.selectFrom('settings').select('value').where('key', '=', 'installationId');
  const known = await query.executeTakeFirst();
  // A start without a change writes nothing, so that a full disk does not prevent it.
  if (known !== undefined) return known.value;
  const value = randomUUID();
  await store.write([
    {
      query: store.db
        .insertInto('settings')
        .values({ key: 'installationId', value })
        .onConflict((conflict) => conflict.doNothing()),
    },
  ]);
  return (await query.executeTakeFirstOrThrow()).value;
}
