import { record, text } from '../form-body';
import type { Json } from '../sandbox.types';
import { invalidRequest } from './stripe.errors';
import type { Collection, StripeObject } from './stripe.state';

const RANGE_OPERATORS = ['gt', 'gte', 'lt', 'lte'];

/** Newest first, `starting_after` / `ending_before`, `has_more`: https://docs.stripe.com/api/pagination */
export function listPage(collection: Collection, query: Json, url: string, keep: (object: StripeObject) => boolean): Json {
  const limit = query['limit'] === undefined ? 10 : Number(query['limit']);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100)
    throw invalidRequest('Invalid integer: limit must be between 1 and 100', { param: 'limit' });
  const after = text(query['starting_after']);
  const before = text(query['ending_before']);
  if (after && before) throw invalidRequest('You may only specify one of these parameters: ending_before, starting_after.');
  const cursor = after ?? before;
  const at = cursor === undefined ? -1 : positionOf(collection, cursor);
  if (cursor !== undefined && at < 0)
    throw invalidRequest(`No such object: '${cursor}'`, { code: 'resource_missing', param: after ? 'starting_after' : 'ending_before' });

  const inRange = rangeFilter(query['created']);
  const found: StripeObject[] = [];
  const step = before ? 1 : -1;
  let position = before ? at + 1 : after ? at - 1 : collection.order.length - 1;
  for (; position >= 0 && position < collection.order.length && found.length <= limit; position += step) {
    const object = collection.byId.get(collection.order[position] as string);
    if (object && inRange(object.created) && keep(object)) found.push(object);
  }
  const data = found.slice(0, limit);
  if (before) data.reverse();
  return { object: 'list', data, has_more: found.length > limit, url };
}

/** Ids are looked up from the end, where pages usually are; a remembered place makes deep paging cheap. */
function positionOf(collection: Collection, id: string): number {
  if (!collection.byId.has(id)) return -1;
  const hint = hints.get(collection);
  if (hint !== undefined) {
    for (let offset = 0; offset <= 101; offset++) {
      if (collection.order[hint - offset] === id) return remember(collection, hint - offset);
      if (collection.order[hint + offset] === id) return remember(collection, hint + offset);
    }
  }
  return remember(collection, collection.order.lastIndexOf(id));
}

const hints = new WeakMap<Collection, number>();

function remember(collection: Collection, at: number): number {
  hints.set(collection, at);
  return at;
}

function rangeFilter(created: unknown): (value: number) => boolean {
  if (created === undefined) return () => true;
  if (typeof created === 'string') return (value) => value === Number(created);
  const range = record(created);
  for (const operator of Object.keys(range))
    if (!RANGE_OPERATORS.includes(operator)) throw invalidRequest(`Received unknown parameter: created[${operator}]`, { param: 'created' });
  const bound = (operator: string): number | undefined => (range[operator] === undefined ? undefined : Number(range[operator]));
  const [gt, gte, lt, lte] = [bound('gt'), bound('gte'), bound('lt'), bound('lte')];
  return (value) =>
    (gt === undefined || value > gt) &&
    (gte === undefined || value >= gte) &&
    (lt === undefined || value < lt) &&
    (lte === undefined || value <= lte);
}

/** `expand[]=latest_invoice.confirmation_secret`: ids become objects, and includable fields appear. */
export function expandAll(
  target: Json,
  paths: unknown,
  load: (id: string) => Json | undefined,
  include: (object: Json, field: string) => unknown,
): Json {
  if (!Array.isArray(paths) || paths.length === 0) return target;
  const copy = structuredClone(target);
  for (const path of paths) expandPath(copy, String(path).split('.'), load, include, String(path));
  return copy;
}

function expandPath(
  node: unknown,
  path: string[],
  load: (id: string) => Json | undefined,
  include: (object: Json, field: string) => unknown,
  full: string,
): void {
  const [field, ...rest] = path;
  if (field === undefined || node === null) return;
  if (Array.isArray(node)) {
    for (const item of node) expandPath(item, path, load, include, full);
    return;
  }
  const object = record(node);
  if (object[field] === undefined) {
    const extra = include(object, field);
    if (extra === undefined) throw invalidRequest(`This property cannot be expanded (${full}).`, { param: 'expand' });
    object[field] = structuredClone(extra);
  }
  if (typeof object[field] === 'string') {
    const loaded = load(object[field]);
    if (loaded) object[field] = structuredClone(loaded);
  }
  expandPath(object[field], rest, load, include, full);
}
