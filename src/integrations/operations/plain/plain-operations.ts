import { IntegrationError } from '../../../errors';
import type { GovernedHttp } from '../../connections';
import { PlainAddresses, pointed, type PlainOperation, type PlainProvider, type PlainSettings } from '../../providers';
import { defineOperation, fullNameOf, type Operation, type OperationCall } from '../operation';

type Fields = Readonly<Record<string, unknown>>;

/** The declared operations of a plain provider: each one request, governed like every other. */
export function plainOperations(declaration: PlainProvider, own: PlainSettings, http: GovernedHttp): Operation[] {
  const { key: provider, operations = [] } = declaration;
  const addresses = new PlainAddresses(declaration, own);
  return operations.map((facts) => {
    const { name, title, description, input, output, effect, scopes = [], widerScopes, makes, idempotent, repeat = 'none' } = facts;
    return defineOperation({
      name,
      provider,
      title,
      description,
      input,
      output,
      effect,
      scopes,
      ...(widerScopes && { widerScopes }),
      ...(makes !== undefined && { makes }),
      ...(idempotent !== undefined && { idempotent }),
      repeat: repeat === 'none' ? 'none' : 'provider-key',
      run: async (call) => {
        // Whatever the method promises: one that adds something does so twice when it is repeated.
        const isSafe = idempotent === true || effect === 'read' || repeat !== 'none';
        const options = { operation: fullNameOf({ provider, name }), ...(!isSafe && { repeatable: false }) };
        const fetch = http.fetchFor(call.connection, options);
        const answer = await fetch(...requestOf(facts, call, addresses));
        return read(facts, provider, await answer.text());
      },
    });
  });
}

function requestOf(
  facts: PlainOperation,
  { connection, input, providerKey }: OperationCall<Fields>,
  addresses: PlainAddresses,
): [URL, RequestInit] {
  const { method, path, repeat = 'none', body = {} } = facts;
  const places = new Set([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string));
  const inPath = entriesOf(input).filter(([name]) => places.has(name));
  const rest = entriesOf(input).filter(([name]) => !places.has(name));
  // What the caller names comes first: a place in the path means the field of the input where there is one.
  const values = { ...connection.metadata, ...Object.fromEntries(inPath.map(([name, value]) => [name, String(value)])) };
  const url = new URL(addresses.below(path, values));
  const accept = { accept: 'application/json', ...(repeat.startsWith('header:') && { [repeat.slice(7)]: providerKey }) };
  if (method === 'GET' || method === 'DELETE') {
    for (const [name, value] of rest) url.searchParams.set(name, String(value));
    return [url, { method, headers: accept }];
  }
  const fields = body.at === undefined ? Object.fromEntries(rest) : nested(body.at, Object.fromEntries(rest));
  const sent: Fields = { ...body.with, ...fields, ...(repeat.startsWith('/') && nested(repeat, providerKey)) };
  if (body.as !== 'form') return [url, { method, headers: { ...accept, 'content-type': 'application/json' }, body: JSON.stringify(sent) }];
  const form = new URLSearchParams(Object.fromEntries(entriesOf(sent).map(([name, value]) => [name, String(value)])));
  return [url, { method, headers: accept, body: form }];
}

const entriesOf = (fields: Fields): [string, unknown][] => Object.entries(fields).filter(([, value]) => value !== undefined);

/** `/a/b` and a value: `{ a: { b: value } }`. */
function nested(pointer: string, value: unknown): Fields {
  return pointer
    .split('/')
    .slice(1)
    .reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Fields;
}

/** An answer that is not what was declared leaves open what happened, so it is no success. */
function read({ output, at = '' }: PlainOperation, provider: string, text: string): Fields {
  const parsed = output.safeParse(pointed(jsonIn(text), at));
  if (parsed.success) return parsed.data;
  throw new IntegrationError('provider_bad_answer', { provider, cause: parsed.error });
}

/** An empty answer (204) is an empty object: what is declared of it must do without fields. */
function jsonIn(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
