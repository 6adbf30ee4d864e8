import { record, text } from '../form-body';
import type { Json } from '../sandbox.types';
import { invalidRequest } from './stripe.errors';
import type { Collection, CollectionName, StripeAccount, StripeObject } from './stripe.state';

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

/** What a list is asked to leave out, and what it leaves out unless it is asked for. */
export function filterOf(collection: CollectionName, params: Json): (object: StripeObject) => boolean {
  const wanted: [string, unknown][] = ['customer', 'email', 'product', 'active', 'type']
    .filter((name) => params[name] !== undefined)
    .map((name) => [name, params[name]]);
  const types = Array.isArray(params['types']) ? (params['types'] as unknown[]) : null;
  const status = text(params['status']);
  const subscription = text(params['subscription']);
  return (object) => {
    // https://docs.stripe.com/api/customers/list: what belongs to a test clock is in lists that name it only.
    if (
      HAVE_TEST_CLOCKS.includes(collection) &&
      params['customer'] === undefined &&
      object['test_clock'] !== (params['test_clock'] ?? null)
    )
      return false;
    if (
      !wanted.every(([name, value]) =>
        name === 'type' && collection === 'events'
          ? typeMatches(String(object['type']), String(value))
          : String(object[name]) === String(value),
      )
    )
      return false;
    if (types && !types.includes(object['type'])) return false;
    if (
      subscription &&
      collection === 'invoices' &&
      record(record(object['parent'])['subscription_details'])['subscription'] !== subscription
    )
      return false;
    if (collection === 'prices' && params['active'] === undefined && object['active'] === false) return false;
    if (collection === 'subscriptions') return status === 'all' || (status ? object['status'] === status : object['status'] !== 'canceled');
    return !status || object['status'] === status;
  };
}

const HAVE_TEST_CLOCKS: readonly CollectionName[] = ['customers', 'subscriptions'];

/** Those that customers were made with. */
export function testClocks(account: StripeAccount): Json {
  const ids = new Set([...account.collections.customers.byId.values()].flatMap((customer) => text(customer['test_clock']) ?? []));
  const data = [...ids].map((id) => ({ id, object: 'test_helpers.test_clock', livemode: false, status: 'ready' }));
  return { object: 'list', data, has_more: false, url: '/v1/test_helpers/test_clocks' };
}

/** `type=customer.*` takes a group of events. */
function typeMatches(type: string, wanted: string): boolean {
  return wanted.endsWith('*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
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
