import type { z } from 'zod';
import { inline } from './schemas.ts';
import type { JsonSchema } from './schemas.ts';

/** A UTF-16 unit as `\uXXXX`, which some clients write for everything beyond ASCII. */
const unitBytes = 6;
/** For a string without a limit of its own: a pattern or a list of values limits it. */
const unlimitedUnits = 1024;
const unlimitedItems = 1024;
const scalarBytes = 32;

/** An upper bound for a JSON body that the schema accepts, so that no limit of bodies contradicts a limit of a field. */
export function largestBodyBytes(schema: z.ZodType): number {
  return largest(inline(schema, 'input'));
}

function largest(schema: JsonSchema): number {
  const choices = [schema['anyOf'], schema['oneOf']].flat().filter((each) => each !== undefined);
  if (choices.length > 0) return Math.max(...choices.map((each) => largest(each as JsonSchema)));
  if (schema['type'] === 'object') return largestObject(schema);
  if (schema['type'] === 'array') {
    const items = Number(schema['maxItems'] ?? unlimitedItems);
    return 2 + items * (1 + largest((schema['items'] ?? {}) as JsonSchema));
  }
  if (schema['type'] === 'string') return 2 + unitBytes * Number(schema['maxLength'] ?? unlimitedUnits);
  return scalarBytes;
}

function largestObject(schema: JsonSchema): number {
  const fields = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>);
  return fields.reduce((sum, [name, field]) => sum + name.length + 4 + largest(field), 2);
}
