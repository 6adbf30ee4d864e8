import type { OpenAPIObject } from '@nestjs/swagger';
import { html, type Html } from '../html';
import { callExample, takesToken, tryForm } from './docs-call';
import type { Schema } from './example-of';
import type { Content, ShownOperation } from './shown-operation';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
const MOST_DEPTH = 5;

/** Tags as people read them, in the order of the list; others follow. */
const TAGS: Readonly<Record<string, string>> = {
  connections: 'Connections',
  sync: 'Records and syncs',
  operations: 'Operations',
  webhooks: 'Webhooks in',
  sessions: 'Sessions of browsers',
  admin: 'Administration',
};

export function operationsOf(document: OpenAPIObject): ShownOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method] as ShownOperation['operation'] & { operationId?: string; tags?: string[] };
      if (!operation?.operationId) return [];
      const tag = path.startsWith('/v1/admin/') ? 'admin' : (operation.tags?.[0] ?? 'other');
      return [{ id: operation.operationId, method: method.toUpperCase(), path, tag, operation }];
    }),
  );
}

export function referencePage(operations: readonly ShownOperation[]): string {
  const tags = [...new Set([...Object.keys(TAGS), ...operations.map(({ tag }) => tag)])];
  const parts = tags.map((tag) => {
    const own = operations.filter((each) => each.tag === tag);
    if (own.length === 0) return undefined;
    return html`<h2 id="${tag}">${TAGS[tag] ?? tag}</h2>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Call</th>
              <th scope="col">What it does</th>
            </tr>
          </thead>
          <tbody>
            ${own.map(
              ({ id, method, path, operation }) =>
                html`<tr>
                  <td data-label="Call">
                    <a href="/docs/operations/${id}"><code class="address">${method} ${path}</code></a>
                  </td>
                  <td data-label="Does">${operation.summary}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>`;
  });
  const body = html`<p>
      Calls under <code>/v1</code> carry <code>Authorization: Bearer</code> with a token that the product's backend signs. Lists come as
      <code>data</code> and <code>nextCursor</code>; failures as <code>application/problem+json</code> with a code, a sentence and a next
      step.
    </p>
    ${parts}`;
  return frame('The API', body);
}

export function operationPage(shown: ShownOperation): string {
  const { method, path, operation } = shown;
  const { summary, description, parameters = [], requestBody, responses } = operation;
  const body = html`<p><code class="address">${method} ${path}</code></p>
    ${description !== undefined && description !== summary && html`<p>${description}</p>`}
    <p class="soft">${takesToken(shown) ? 'Takes a bearer token.' : 'Takes no bearer token.'}</p>
    ${
      parameters.length > 0 &&
      html`<h2>Parameters</h2>
        ${fieldTable(parameters.map(({ name, in: place, required, schema, description: words }) => [name, `${typeOf(schema)}, ${place}${required ? ', required' : ''}`, words ?? schema?.description]))}`
    }
    ${callExample(shown)} ${contentPart('Body', requestBody?.content)}
    ${Object.entries(responses)
      .filter(([status]) => status.startsWith('2'))
      .map(([status, { description: words, content }]) => html`${contentPart(`Answer ${status}`, content, words)}`)}
    <p>
      Failures:
      ${
        Object.keys(responses)
          .filter((status) => /^[45]/.test(status))
          .join(', ') || 'any'
      },
      as <code>application/problem+json</code>.
    </p>
    ${tryForm(shown)}`;
  return frame(summary ?? `${method} ${path}`, body);
}

function contentPart(title: string, content: Readonly<Record<string, Content>> | undefined, words?: string): Html | undefined {
  const [entry] = Object.entries(content ?? {});
  if (!entry)
    return title === 'Body'
      ? undefined
      : html`<h2>${title}</h2>
          <p>${words || 'Without a body.'}</p>`;
  const [type, { schema, example }] = entry;
  const rows = schema ? fieldsOf(schema) : [];
  return html`<h2>${title}</h2>
    <p>${words} <code>${type}</code></p>
    ${rows.length > 0 && fieldTable(rows)}
    ${
      example !== undefined &&
      html`<h3>Example</h3>
        <div class="scroll" role="region" aria-label="Example of ${title}" tabindex="0">
          <pre>${typeof example === 'string' ? example : JSON.stringify(example, null, 2)}</pre>
        </div>`
    }`;
}

type Row = readonly [name: string, type: string, words: string | undefined];

function fieldsOf(schema: Schema, before = '', depth = 0): Row[] {
  if (schema.type === 'array' && schema.items) return fieldsOf(schema.items, `${before}[]`, depth);
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).flatMap(([name, field]): Row[] => {
    const path = before === '' ? name : `${before}.${name}`;
    const own: Row = [path, `${typeOf(field)}${required.includes(name) ? ', required' : ''}`, field.description];
    const isNested = depth < MOST_DEPTH && (field.type === 'object' || field.items?.type === 'object');
    return [own, ...(isNested ? fieldsOf(field, path, depth + 1) : [])];
  });
}

function typeOf(schema: Schema | undefined): string {
  if (!schema) return 'text';
  const choices = schema.anyOf ?? schema.oneOf;
  const own = schema.enum
    ? schema.enum.map((value) => JSON.stringify(value)).join(' or ')
    : choices
      ? [...new Set(choices.map(typeOf))].join(' or ')
      : schema.type === 'array'
        ? `list of ${typeOf(schema.items)}`
        : `${schema.type ?? 'any'}${schema.format === undefined ? '' : ` (${schema.format})`}`;
  return schema.nullable ? `${own} or null` : own;
}

function fieldTable(rows: readonly Row[]): Html {
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Type</th>
          <th scope="col">What</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([name, type, words]) =>
            html`<tr>
              <td data-label="Field"><code class="address">${name}</code></td>
              <td data-label="Type"><div class="wide">${type}</div></td>
              <td data-label="What">${words && html`<div class="wide">${words}</div>`}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function frame(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · Trestle API</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/ui/trestle.css" />
        <script src="/docs/try.js" defer></script>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header>
          <strong>Trestle</strong>
          <nav aria-label="Pages"><a href="/docs">All calls</a> <a href="/docs-json">OpenAPI, as JSON</a></nav>
        </header>
        <main id="content" tabindex="-1">
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html>`.text.replace(/\n\s+(?=<)/g, '\n');
}
