import type { JsonSchema } from '@wcc/api/openapi';
import type { Html } from './html.ts';
import { html, prose } from './html.ts';

/** `#/components/schemas/Image` → `Image`. */
function nameOf(reference: unknown): string {
  return String(reference).split('/').at(-1) ?? '';
}

/** The anchor of a named schema. */
export function schemaAnchor(name: string): string {
  return `schema-${name}`;
}

const listOf = (value: unknown): JsonSchema[] => (Array.isArray(value) ? (value as JsonSchema[]) : []);

/** A short type: `integer ≥ 100`, `"raw" | "qcow2"`, `Image[]`, with links to named schemas. */
export function typeOf(schema: JsonSchema): Html {
  if (schema['$ref'] !== undefined) {
    const name = nameOf(schema['$ref']);
    return html`<a href="#${schemaAnchor(name)}">${name}</a>`;
  }
  if (schema['const'] !== undefined) return html`<code>${JSON.stringify(schema['const'])}</code>`;
  if (Array.isArray(schema['enum']))
    return joined(schema['enum'].map((value) => html`<code>${JSON.stringify(value)}</code>`));
  const choices = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])];
  if (choices.length > 0) return joined(choices.map(typeOf));
  if (schema['type'] === 'array') return html`${typeOf((schema['items'] as JsonSchema | undefined) ?? {})}[]`;
  const type = typeof schema['type'] === 'string' ? schema['type'] : 'any';
  return html`${type}${limitsOf(schema)}`;
}

function joined(parts: readonly Html[]): Html {
  return html`${parts.map((part, index) => (index === 0 ? part : html` | ${part}`))}`;
}

function limitsOf(schema: JsonSchema): string {
  const { format, minimum, maximum, minLength, maxLength } = schema;
  const parts = [
    typeof format === 'string' ? ` (${format})` : '',
    typeof minimum === 'number' ? ` ≥ ${minimum}` : '',
    typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER ? ` ≤ ${maximum}` : '',
    typeof minLength === 'number' ? ` at least ${minLength} characters` : '',
    typeof maxLength === 'number' ? ` at most ${maxLength} characters` : '',
  ];
  return parts.join('');
}

/** An object as a table of its fields; any other schema as a short type. */
export function schemaView(schema: JsonSchema): Html {
  const properties = schema['properties'] as Record<string, JsonSchema> | undefined;
  if (properties === undefined) return html`<p>${typeOf(schema)}</p>`;
  const required = new Set(Array.isArray(schema['required']) ? (schema['required'] as string[]) : []);
  const rows = Object.entries(properties).map(([name, field]) => fieldRow(name, field, required.has(name)));
  return html`<table>
    <thead>
      <tr>
        <th>Field</th>
        <th>Type</th>
        <th>Meaning</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

function fieldRow(name: string, field: JsonSchema, isRequired: boolean): Html {
  const inner = field['properties'] === undefined ? html`` : schemaView(field);
  const fallback = field['default'] === undefined ? '' : `default ${JSON.stringify(field['default'])}`;
  const optional = isRequired || fallback !== '' ? fallback : 'optional';
  return html`<tr>
    <td><code>${name}</code></td>
    <td>${typeOf(field)}</td>
    <td>${prose(wordsOf(field))} <small>${optional}</small>${inner}</td>
  </tr>`;
}

function wordsOf({ description }: JsonSchema): string {
  return typeof description === 'string' ? description : '';
}
