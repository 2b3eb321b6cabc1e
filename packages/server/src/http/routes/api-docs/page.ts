import type { ApiOperation, ApiResponse, JsonSchema, OpenApiDocument, Parameter } from '@wcc/api/openapi';
import type { Html } from './html.ts';
import { html, prose } from './html.ts';
import { schemaAnchor, schemaView, typeOf } from './schema-view.ts';

interface Entry {
  method: string;
  path: string;
  operation: ApiOperation;
}

export interface PageLinks {
  style: string;
  document: string;
}

/** The description as one page without script: an overview, and each endpoint as a collapsible section. */
export function renderApiPage(document: OpenApiDocument, links: PageLinks): string {
  const entries = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]): Entry => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
  const schemas = (document.components['schemas'] ?? {}) as Record<string, JsonSchema>;
  const { title, version, description } = document.info;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>API of ${title}</title>
        <link rel="icon" href="/favicon.svg" />
        <link rel="stylesheet" href="${links.style}" />
      </head>
      <body>
        <a class="skip" href="#content">To the content</a>
        <nav aria-label="Contents">
          <p><strong>${title}</strong> ${version}</p>
          <ul>
            ${document.tags.map(({ name }) => html`<li><a href="#${tagAnchor(name)}">${name}</a></li>`)}
            <li><a href="#schemas">Schemas</a></li>
          </ul>
        </nav>
        <main id="content">
          <h1>API of ${title}</h1>
          <p>${prose(description)}</p>
          <p>
            Send a token as <code>Authorization: Bearer …</code>; a browser has its session cookie and page
            key. For programs: <a href="${links.document}">OpenAPI 3.1</a>.
          </p>
          ${document.tags.map(({ name }) => tagSection(name, entries))}
          <section aria-labelledby="schemas">
            <h2 id="schemas">Schemas</h2>
            ${Object.entries(schemas).map(([name, schema]) => schemaSection(name, schema))}
          </section>
        </main>
      </body>
    </html> `;
  return page.text;
}

function tagAnchor(name: string): string {
  return `tag-${name.toLowerCase().replaceAll(' ', '-')}`;
}

function tagSection(tag: string, entries: readonly Entry[]): Html {
  const own = entries.filter(({ operation }) => operation.tags.includes(tag));
  return html`<section aria-labelledby="${tagAnchor(tag)}">
    <h2 id="${tagAnchor(tag)}">${tag}</h2>
    ${own.map(entrySection)}
  </section> `;
}

function entrySection({ method, path, operation }: Entry): Html {
  const {
    operationId,
    summary,
    description = '',
    parameters = [],
    requestBody,
    responses,
    security,
  } = operation;
  const isOpen = security?.length === 0;
  return html`<details>
    <summary>
      <span class="method ${method.toLowerCase()}">${method}</span> <code>${path}</code>
      <span class="about">${summary}</span>
    </summary>
    <div class="entry" id="${operationId}">
      ${description === '' ? html`` : html`<p>${prose(description)}</p>`}
      <p><small>${isOpen ? 'Without signing in.' : 'Signed in.'}</small></p>
      ${parameters.length === 0 ? html`` : parameterTable(parameters)}
      ${requestBody === undefined ? html`` : bodySection(requestBody)}
      <h3>Answers</h3>
      <table>
        <thead>
          <tr>
            <th>Status</th>
            <th>Meaning</th>
            <th>Body</th>
          </tr>
        </thead>
        <tbody>
          ${Object.entries(responses).map(responseRow)}
        </tbody>
      </table>
    </div>
  </details> `;
}

function parameterTable(parameters: readonly Parameter[]): Html {
  const rows = parameters.map(
    ({ name, in: place, required, description = '', schema }) =>
      html`<tr>
        <td><code>${name}</code></td>
        <td>${place}</td>
        <td>${typeOf(schema)}</td>
        <td>${prose(description)} <small>${required ? '' : 'optional'}</small></td>
      </tr>`,
  );
  return html`<h3>Parameters</h3>
    <table>
      <thead>
        <tr>
          <th>Name</th>
          <th>In</th>
          <th>Type</th>
          <th>Meaning</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>`;
}

function bodySection({ required, content }: NonNullable<ApiOperation['requestBody']>): Html {
  const bodies = Object.entries(content).map(
    ([type, { schema }]) =>
      html`<p>
        <code>${type}</code> ${schema === undefined ? html`` : typeOf(schema)}
        <small>${required ? '' : 'optional'}</small>
      </p>`,
  );
  return html`<h3>Body</h3>
    ${bodies}`;
}

function responseRow([status, { description, content = {}, headers = {} }]: [string, ApiResponse]): Html {
  const bodies = Object.entries(content).map(([type, { schema }]) =>
    schema === undefined ? html`<code>${type}</code>` : typeOf(schema),
  );
  const list = Object.entries(headers).map(
    ([name, header]) => html`<br /><code>${name}</code>: ${prose(header.description)}`,
  );
  return html`<tr>
    <td>${status}</td>
    <td>${prose(description)}${list}</td>
    <td>${bodies}</td>
  </tr>`;
}

function schemaSection(name: string, schema: JsonSchema): Html {
  const { description } = schema;
  const list = typeof description === 'string' ? html`<p>${prose(description)}</p>` : html``;
  return html`<article id="${schemaAnchor(name)}">
    <h3>${name}</h3>
    ${list}${schemaView(schema)}
  </article> `;
}
