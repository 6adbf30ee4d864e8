import { html, type Html } from '../html';
import { exampleOf } from './example-of';
import type { ShownOperation } from './shown-operation';

/** Of a program that makes calls: where the service is, and a token of the product's. */
const SERVICE = '$TRESTLE_URL';
const TOKEN = '$TOKEN';

type Parameter = NonNullable<ShownOperation['operation']['parameters']>[number];

/** The call as it is typed in a shell, with values that the API takes. */
export function callExample(shown: ShownOperation): Html {
  const { method, path, operation } = shown;
  const parameters = operation.parameters ?? [];
  const query = parameters.filter(({ in: place, required }) => place === 'query' && required === true);
  const search = query.map((each) => `${each.name}=${encodeURIComponent(valueOf(each))}`).join('&');
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const parameter = parameters.find((each) => each.in === 'path' && each.name === name);
    return encodeURIComponent(parameter ? valueOf(parameter) : name);
  });
  const body = bodyOf(shown);
  const lines = [
    `curl ${method === 'GET' ? '' : `-X ${method} `}"${SERVICE}${filled}${search && `?${search}`}"`,
    ...(takesToken(shown) ? [`-H "Authorization: Bearer ${TOKEN}"`] : []),
    ...(body ? [`-H "Content-Type: ${body.type}"`, `-d '${body.text.replaceAll("'", `'\\''`)}'`] : []),
  ];
  return html`<h2>Example call</h2>
    <div class="scroll" role="region" aria-label="Example call" tabindex="0"><pre>${lines.join(' \\\n  ')}</pre></div>`;
}

/** A form that makes the call, by script; where none runs, the example alone is there. */
export function tryForm(shown: ShownOperation): Html {
  const { method, path, operation } = shown;
  const body = bodyOf(shown);
  return html`<section data-try hidden>
    <h2>Try it</h2>
    <form class="fields card" data-method="${method}" data-path="${path}" action="/docs/calls" autocomplete="off">
      ${
        takesToken(shown) &&
        html`<label
          >Token
          <input type="password" name="token" autocomplete="off" spellcheck="false" maxlength="10000" required />
        </label>`
      }
      ${(operation.parameters ?? []).map(
        (parameter) =>
          html`<label
            >${parameter.name} <span class="soft">${parameter.in}</span>
            <input
              name="${parameter.in}.${parameter.name}"
              placeholder="${valueOf(parameter)}"
              spellcheck="false"
              ${parameter.required === true && html`required`}
            />
          </label>`,
      )}
      ${
        body &&
        html`<label
          >Body <span class="soft">${body.type}</span>
          <textarea name="body" data-type="${body.type}" rows="${Math.min(20, body.text.split('\n').length + 1)}" spellcheck="false">
${body.text}</textarea>
        </label>`
      }
      <div class="actions"><button class="primary">Send</button> <button type="button" data-stop hidden>Stop</button></div>
    </form>
    <p role="status" data-outcome></p>
    <div class="scroll" role="region" aria-label="The answer" tabindex="0" data-answer hidden><pre></pre></div>
  </section>`;
}

export function takesToken({ operation: { security = [] } }: ShownOperation): boolean {
  return security.length > 0;
}

function valueOf({ name, schema }: Parameter): string {
  const value = exampleOf(schema ?? { type: 'string' }, name);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function bodyOf({ operation: { requestBody } }: ShownOperation): { type: string; text: string } | undefined {
  const [entry] = Object.entries(requestBody?.content ?? {});
  if (!entry) return undefined;
  const [type, { schema, example }] = entry;
  const value = example ?? (schema ? exampleOf(schema) : {});
  return { type, text: typeof value === 'string' ? value : JSON.stringify(value, null, 2) };
}
