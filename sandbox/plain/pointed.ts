import type { At } from '../../src/integrations/providers/plain/plain-provider';

export type Json = Record<string, unknown>;

/** Where a pretend answer has to have a value, by the first of the places that are declared. */
export const firstOf = (at: At | undefined): string | undefined => (typeof at === 'object' ? at[0] : at);

/** Puts a value where a JSON pointer says, making what stands in between; a number is a place in a list. */
export function put(json: Json, pointer: string, value: unknown): Json {
  if (pointer === '') return value as Json;
  const names = pointer.split('/').slice(1);
  let at: Json = json;
  names.forEach((name, index) => {
    const last = index === names.length - 1;
    const next = names[index + 1];
    if (last) at[name] = value;
    else at = (at[name] ??= /^\d+$/.test(next ?? '') ? [] : {}) as Json;
  });
  return json;
}

/** The value that stands there, if one does. */
export function at(json: unknown, pointer: string): unknown {
  const names = pointer.split('/').slice(1);
  return names.reduce<unknown>((value, name) => (typeof value === 'object' && value !== null ? (value as Json)[name] : undefined), json);
}

/** A value for each field that is learnt: a label, or an origin where an address begins with it. */
export function exampleOf(name: string, addresses: readonly (string | undefined)[], hosts: readonly string[] = []): string {
  const isOrigin = addresses.some((address) => address?.startsWith(`{${name}}`));
  return isOrigin ? `https://${(hosts[0] ?? 'api.example.com').replaceAll('*', 'acme')}` : 'acme';
}
