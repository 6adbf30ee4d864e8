import type { PlainResource } from '../../src/integrations/providers/plain/plain-provider';
import { z } from 'zod';
import { pageFrom } from '../paging';
import { exampleOfSchema } from './schema-example';
import { at, firstOf, put, type Json } from './pointed';
import type { PlainWorld } from './plain-world';

const PAGE = 3;

export interface ListCall {
  readonly method: string;
  /** Below the API's base. */
  readonly path: string;
  readonly url: URL;
  readonly text: string;
}

/** A page of a declared resource, in the declared way of paging; undefined where the call asks for none. */
export function listPage(
  world: PlainWorld,
  call: ListCall,
): { status: number; headers?: Record<string, string>; body: unknown } | undefined {
  const sent = bodyIn(call.text);
  for (const resource of world.declaration.resources ?? []) {
    // The call that asks for changes says more than the one for everything.
    const asked = [changesOf(resource), resource].find((facts) => facts && isCallOf(facts, world, call, sent));
    if (asked) return page(asked, found(resource, asked, world, call.url, sent), call.url, sent);
  }
  return undefined;
}

/** Seven, the first of them changed long ago. */
export function itemsOf(world: PlainWorld, resource: PlainResource): Json[] {
  let items = world.items.get(resource.name);
  if (!items) {
    items = Array.from({ length: 7 }, (_, index) => itemOf(resource, `${resource.name}-${index + 1}`, 1_700_000_000_000 + index));
    world.items.set(resource.name, items);
  }
  return items;
}

/** With all that is declared of it. */
export function itemOf(resource: PlainResource, id: string, changedAt: number): Json {
  const item = exampleOfSchema(
    z.toJSONSchema(resource.shape ?? z.object({}), { io: 'input' }) as Parameters<typeof exampleOfSchema>[0],
  ) as Json;
  const version = firstOf(resource.version);
  if (version?.startsWith('/')) put(item, version, new Date(changedAt).toISOString());
  put(item, firstOf(resource.id) ?? '/id', id);
  item['changed-at'] = changedAt;
  return item;
}

/** As it is asked for what changed; undefined where that is the same call, or none. */
function changesOf(resource: PlainResource): PlainResource | undefined {
  const { since } = resource;
  if (!since) return undefined;
  return { ...resource, ...('newestFirst' in since ? since.newestFirst : since.by) };
}

function isCallOf(resource: PlainResource, world: PlainWorld, call: ListCall, sent: Json): boolean {
  const { path, method = 'GET', body = {}, query = {}, page, since } = resource;
  if (filledIn(path, world).split('?')[0] !== call.path || method !== call.method) return false;
  const told = since && 'param' in since ? since.param : undefined;
  // What pages and times change is no part of what is asked for.
  const fixed = Object.entries(query).filter(([name]) => !(page.by === 'cursor' && page.param === name));
  return (
    holds(sent, body) &&
    fixed.every(([name, value]) => {
      const given = call.url.searchParams.get(name);
      return given === value || (name === told && given !== null && timeTextIn(resource, given) !== undefined);
    })
  );
}

/** Whether a JSON has all that another one says. */
function holds(json: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return json === wanted;
  return Object.entries(wanted).every(([name, value]) => holds(at(json, `/${name}`), value));
}

/** The time in what is sent for it. */
function timeTextIn({ since }: PlainResource, text: string): string | undefined {
  if (!since || !('param' in since)) return undefined;
  const [before = '', after = ''] = (since.text ?? '{since}').split('{since}');
  return text.startsWith(before) && text.endsWith(after) ? text.slice(before.length, text.length - after.length) : undefined;
}

/** All that there is, or what changed: since the time that is told, or with the newest at the beginning. */
function found(resource: PlainResource, asked: PlainResource, world: PlainWorld, url: URL, sent: Json): readonly Json[] {
  const items = itemsOf(world, resource);
  const { since } = resource;
  if (!since) return items;
  if ('newestFirst' in since)
    return asked === resource ? items : items.toSorted((a, b) => Number(b['changed-at']) - Number(a['changed-at']));
  const text = since.param.startsWith('/') ? at(sent, since.param) : url.searchParams.get(since.param);
  if (typeof text !== 'string') return items;
  const told = timeTextIn(resource, text);
  if (told === undefined) return items;
  const from = timeIn(told, since.as);
  return items.filter((item) => Number(item['changed-at']) >= from);
}

function timeIn(text: string, as: 'iso' | 's' | 'ms' | 'minutes-ago'): number {
  if (as === 'iso') return Date.parse(text);
  if (as === 'minutes-ago') return Date.now() - Number(text) * 60_000;
  return Number(text) * (as === 's' ? 1000 : 1);
}

function page(
  resource: PlainResource,
  all: readonly Json[],
  url: URL,
  sent: Json,
): { status: number; headers: Record<string, string>; body: unknown } {
  const { page } = resource;
  const size = page.by === 'offset' || page.by === 'number' ? page.size : page.by === 'none' ? Number.POSITIVE_INFINITY : PAGE;
  const { items: shown, next } = pageFrom(all, startOf(resource, url, sent), size);
  const body: unknown = resource.items === undefined || resource.items === '' ? shown : put({}, resource.items, shown);
  const headers: Record<string, string> = {};
  if (next !== undefined && page.by === 'link') headers['link'] = `<${withAt(url, next)}>; rel="next", <${url.href}>; rel="first"`;
  if (page.by === 'cursor') {
    const place = firstOf(page.next) ?? '';
    if (next !== undefined && place.startsWith('header:')) headers[place.slice(7)] = String(next);
    else if (next !== undefined) put(body as Json, place, page.param === undefined ? withAt(url, next) : String(next));
    const [more, done] = [firstOf(page.more), firstOf(page.done)];
    if (more !== undefined) put(body as Json, more, next !== undefined);
    if (done !== undefined) put(body as Json, done, next === undefined);
  }
  return { status: 200, headers, body };
}

function startOf({ page }: PlainResource, url: URL, sent: Json): number {
  const param =
    page.by === 'link' || page.by === 'none' || (page.by === 'cursor' && page.param === undefined) ? 'at' : (page.param ?? 'at');
  const inBody = page.by === 'cursor' && page.in === 'body';
  const given = inBody ? at(sent, param.startsWith('/') ? param : `/${param}`) : url.searchParams.get(param);
  if (given === null || given === undefined) return 0;
  return page.by === 'number' ? (Number(given) - (page.first ?? 1)) * page.size : Number(given);
}

function bodyIn(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {};
  }
}

function withAt(url: URL, place: number): string {
  const next = new URL(url);
  next.searchParams.set('at', String(place));
  return next.href;
}

function filledIn(path: string, world: PlainWorld): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => world.values[name] ?? '');
}
