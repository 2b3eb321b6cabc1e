import { z } from 'zod';
import * as contract from '../index.ts';

export type JsonSchema = Record<string, unknown>;

/** In a request, fields with a default are optional; in an answer they are present. */
export type Direction = 'input' | 'output';

/** Every schema that the contract exports, under its name: `copyImageRequest` → `CopyImageRequest`. */
const registry = z.registry<{ id: string }>();
for (const [name, value] of Object.entries(contract)) {
  if (value instanceof z.ZodType) registry.add(value, { id: capitalised(name) });
}

function capitalised(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

const settings = {
  target: 'draft-2020-12',
  // JSON schema cannot express transformations and custom checks; so the descriptions of the fields mention them.
  unrepresentable: 'any',
} as const;

/** Names of request schemas. All other schemas describe answers. */
const isSent = (name: string): boolean => /(Request|Query|Metadata)$/.test(name);

/** The named schemas, as the components of the document. */
export function componentSchemas(): Record<string, JsonSchema> {
  const uri = (id: string): string => `#/components/schemas/${id}`;
  const { schemas: sent } = z.toJSONSchema(registry, { ...settings, io: 'input', uri });
  const { schemas: answered } = z.toJSONSchema(registry, { ...settings, io: 'output', uri, override: open });
  const names = Object.keys(answered).toSorted();
  return Object.fromEntries(
    names.map((name) => [name, withoutKeys((isSent(name) ? sent[name] : answered[name]) ?? {})]),
  );
}

/** A reference to a named schema, or the schema itself. */
export function schemaOf(schema: z.ZodType, direction: Direction): JsonSchema {
  const id = registry.get(schema)?.id;
  if (id !== undefined) return { $ref: `#/components/schemas/${id}` };
  return inline(schema, direction);
}

/** The schema itself, not a reference to its name. */
export function inline(schema: z.ZodType, direction: Direction): JsonSchema {
  const override = direction === 'output' ? { override: open } : {};
  return withoutKeys(z.toJSONSchema(schema, { ...settings, io: direction, ...override }));
}

/** A later version may add fields to an answer, so its schema allows unknown fields. */
function open({ jsonSchema }: { jsonSchema: JsonSchema }): void {
  if (jsonSchema['additionalProperties'] === false) delete jsonSchema['additionalProperties'];
}

/** Removes keywords that the document has once for all schemas. */
function withoutKeys({ $schema: _schema, $id: _id, ...rest }: JsonSchema): JsonSchema {
  return rest;
}
