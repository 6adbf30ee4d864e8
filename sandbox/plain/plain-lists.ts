import type { PlainResource } from '../../src/integrations/providers/plain/plain-provider';
import { pageFrom } from '../paging';
import { firstOf, put, type Json } from './pointed';
import type { PlainWorld } from './plain-world';

const PAGE = 3;

/** A page of a declared resource, in the declared way of paging; undefined where the path is none. */
export function listPage(
  world: PlainWorld,
  path: string,
  url: URL,
  text: string,
): { status: number; headers?: Record<string, string>; body: unknown } | undefined {
  const resource = world.declaration.resources?.find((each) => filledIn(each.path, world).split('?')[0] === path);
  if (!resource) return undefined;
  const all = since(resource, url, itemsOf(world, resource));
  const { page } = resource;
  const size = page.by === 'offset' || page.by === 'number' ? page.size : page.by === 'none' ? Number.POSITIVE_INFINITY : PAGE;
  const start = startOf(resource, url, text);
  const { items: shown, next } = pageFrom(all, start, size);
  const body: unknown = resource.items === undefined || resource.items === '' ? shown : put({}, resource.items, shown);
  const headers: Record<string, string> = {};
  if (next !== undefined && page.by === 'link') headers['link'] = `<${withAt(url, next)}>; rel="next", <${url.href}>; rel="first"`;
  if (page.by === 'cursor') {
    const place = firstOf(page.next) ?? '';
    if (next !== undefined && place.startsWith('header:')) headers[place.slice(7)] = String(next);
    else if (next !== undefined) put(body as Json, place, page.param === undefined ? withAt(url, next) : String(next));
    const more = firstOf(page.more);
    if (more !== undefined) put(body as Json, more, next !== undefined);
  }
  return { status: 200, headers, body };
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

export function itemOf(resource: PlainResource, id: string, changedAt: number): Json {
  const item: Json = {};
  const version = firstOf(resource.version);
  if (version?.startsWith('/')) put(item, version, new Date(changedAt).toISOString());
  put(item, firstOf(resource.id) ?? '/id', id);
  item['changed-at'] = changedAt;
  return item;
}

function since({ since: declared }: PlainResource, url: URL, items: readonly Json[]): readonly Json[] {
  const text = declared && url.searchParams.get(declared.param);
  if (!declared || !text) return items;
  const from = declared.as === 'iso' ? Date.parse(text) : Number(text) * (declared.as === 's' ? 1000 : 1);
  return items.filter((item) => Number(item['changed-at']) >= from);
}

function startOf({ page }: PlainResource, url: URL, text: string): number {
  const param = page.by === 'link' || page.by === 'none' || (page.by === 'cursor' && page.param === undefined) ? 'at' : page.param;
  const given =
    page.by === 'cursor' && page.in === 'body' ? (JSON.parse(text || '{}') as Json)[param ?? ''] : url.searchParams.get(param ?? 'at');
  if (given === null || given === undefined) return 0;
  return page.by === 'number' ? (Number(given) - (page.first ?? 1)) * page.size : Number(given);
}

function withAt(url: URL, at: number): string {
  const next = new URL(url);
  next.searchParams.set('at', String(at));
  return next.href;
}

function filledIn(path: string, world: PlainWorld): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => world.values[name] ?? '');
}
