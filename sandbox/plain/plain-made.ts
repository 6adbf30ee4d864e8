import { z } from 'zod';
import type { PlainOperation } from '../../src/integrations/providers/plain/plain-provider';
import type { PlainWorld } from './plain-world';
import { put, type Json } from './pointed';
import { exampleOfSchema } from './schema-example';

interface Call {
  readonly method: string;
  /** Below the API's base. */
  readonly path: string;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Carries out a declared operation: once for each key that it honours; undefined where the call is none. */
export function carriedOut(world: PlainWorld, call: Call): { status: number; body: unknown } | undefined {
  if (call.method === 'GET') return undefined;
  const sent = bodyIn(call.text);
  const operation = (world.declaration.operations ?? []).find((each) => isCallOf(each, call, sent));
  if (!operation) return undefined;
  const key = keyIn(operation, call, sent);
  const before = key === undefined ? undefined : world.madeByKey.get(key);
  if (before) return { status: 200, body: before.answer };
  const fields = fieldsIn(operation, sent);
  const places = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name, true]);
  const checked = operation.input.omit(Object.fromEntries(places) as never).safeParse(fields);
  if (!checked.success) return { status: 422, body: { message: checked.error.message } };
  const answer = answerOf(operation, world.made.length + 1);
  const made = { operation: operation.name, path: call.path, fields, answer };
  world.made.push(made);
  if (key !== undefined) world.madeByKey.set(key, made);
  return { status: operation.makes ? 201 : 200, body: answer };
}

function isCallOf({ method, path, body = {} }: PlainOperation, call: Call, sent: Json): boolean {
  const parts = path.split('/');
  const given = call.path.split('/');
  const same = parts.length === given.length && parts.every((part, at) => /^\{\w+\}$/.test(part) || part === given[at]);
  return method === call.method && same && Object.entries(body.with ?? {}).every(([name, value]) => sent[name] === value);
}

function keyIn({ repeat = 'none' }: PlainOperation, { headers }: Call, sent: Json): string | undefined {
  const value = repeat.startsWith('header:')
    ? headers[repeat.slice(7).toLowerCase()]
    : repeat === 'none'
      ? undefined
      : sent[repeat.slice(1)];
  return typeof value === 'string' ? value : undefined;
}

function fieldsIn({ body = {}, repeat = 'none' }: PlainOperation, sent: Json): Json {
  const place = (body.at ?? '').split('/').slice(1);
  const fields = { ...(place.reduce<unknown>((json, name) => (json as Json | undefined)?.[name], sent) as Json) };
  if (repeat.startsWith('/')) delete fields[repeat.slice(1)];
  return fields;
}

/** Numbered, so that two are seen to be two. */
function answerOf({ output, at = '' }: PlainOperation, number: number): unknown {
  const example = exampleOfSchema(z.toJSONSchema(output) as Parameters<typeof exampleOfSchema>[0]) as Json;
  if ('id' in example) example['id'] = typeof example['id'] === 'number' ? number : `made-${number}`;
  return at === '' ? example : put({}, at, example);
}

function bodyIn(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return Object.fromEntries(new URLSearchParams(text));
  }
}
