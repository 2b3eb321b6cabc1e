import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';

const load = createRequire(import.meta.url);
const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
formats.default(ajv);
const validate = ajv.compile(load('../../../schema/snapshot.json') as object);

/** What the published JSON Schema finds wrong with a snapshot; empty if nothing. */
export function schemaErrors(snapshot: unknown): string[] {
  validate(snapshot);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
