// Writes the JSON Schema of a snapshot and the field tables of the protocol page, both from the TypeScript type.
// `npm run generate:schema` writes; with `--check` it only compares and exits with 1 if a file is out of date.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as prettier from 'prettier';
import { createGenerator } from 'ts-json-schema-generator';

const pathOf = (file) => fileURLToPath(new URL(`../packages/progress/${file}`, import.meta.url));
const source = pathOf('src/core/snapshot.ts');
const markers = ['<!-- fields: written by npm run generate:schema -->', '<!-- end of fields -->'];

/** The schema allows fields that it does not name, because a later server may send more. */
function createSchema() {
  const schema = createGenerator({
    path: source,
    skipTypeCheck: true,
    additionalProperties: true,
    topRef: false,
  }).createSchema('Snapshot');
  // Otherwise every incomplete phase would be a valid `PhaseName`.
  schema.definitions.PhaseName.not = { required: ['done'] };
  return { $schema: schema.$schema, title: 'Snapshot', ...schema };
}

/** The type in words, e.g. "integer or null". */
function typeOf(schema, definitions) {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace('#/definitions/', '');
    const definition = definitions[name];
    return definition.enum === undefined
      ? `[${name}](#${name.toLowerCase()})`
      : typeOf(definition, definitions);
  }
  if (schema.enum !== undefined) return typeOfEnum(schema.enum);
  if (schema.anyOf !== undefined) return schema.anyOf.map((each) => typeOf(each, definitions)).join(' or ');
  if (Array.isArray(schema.type)) return schema.type.join(' or ');
  if (schema.type === 'array') return `array, each ${typeOf(schema.items, definitions)}`;
  if (schema.type === 'object' && schema.additionalProperties?.type !== undefined)
    return `object, each value ${typeOf(schema.additionalProperties, definitions)}`;
  return schema.format === undefined ? schema.type : `${schema.type} (${schema.format})`;
}

function typeOfEnum(values) {
  const texts = values.filter((value) => value !== null).map((value) => `\`${value}\``);
  return texts.join(', ') + (values.includes(null) ? ' or null' : '');
}

/** The rows of an object; the fields of an object without a name of its own follow as `name.field`. */
function rowsOf(schema, { definitions, prefix = '' }) {
  return Object.entries(schema.properties).flatMap(([name, field]) => {
    const absent = schema.required?.includes(name) ? '' : ', may be absent';
    const inner = [field, ...(field.anyOf ?? [])].find(({ properties }) => properties !== undefined);
    const row = `| \`${prefix}${name}\` | ${typeOf(field, definitions)}${absent} | ${field.description} |`;
    return [row, ...(inner === undefined ? [] : rowsOf(inner, { definitions, prefix: `${prefix}${name}.` }))];
  });
}

function tableOf(name, schema, definitions) {
  const head = ['| field | type | meaning |', '| --- | --- | --- |'];
  return [`### ${name}`, '', schema.description, '', ...head, ...rowsOf(schema, { definitions })].join('\n');
}

function fieldTables({ definitions, ...schema }) {
  const objects = Object.entries(definitions).filter(([, { properties }]) => properties !== undefined);
  return [['Snapshot', schema], ...objects]
    .map(([name, each]) => tableOf(name, each, definitions))
    .join('\n\n');
}

async function pageWith(tables, path) {
  const page = await readFile(path, 'utf8');
  const [begin, end] = markers.map((marker) => page.indexOf(marker));
  if (begin === -1 || end < begin) throw new Error(`${path} must contain "${markers.join('" and then "')}".`);
  return `${page.slice(0, begin)}${markers[0]}\n\n${tables}\n\n${page.slice(end)}`;
}

async function format(text, path) {
  return prettier.format(text, { ...(await prettier.resolveConfig(path)), filepath: path });
}

const schema = createSchema();
const page = pathOf('docs/protocol.md');
const wanted = {
  [pathOf('schema/snapshot.json')]: JSON.stringify(schema),
  [page]: await pageWith(fieldTables(schema), page),
};
for (const [path, text] of Object.entries(wanted)) {
  const formatted = await format(text, path);
  if (!process.argv.includes('--check')) await writeFile(path, formatted);
  else if ((await readFile(path, 'utf8').catch(() => null)) !== formatted) {
    console.error(`${path} differs from ${source}. Run "npm run generate:schema".`);
    process.exitCode = 1;
  }
}
