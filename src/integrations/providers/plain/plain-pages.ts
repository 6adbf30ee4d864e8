import { textAt, valueAt, type Sources } from './at';
import type { PlainResource, PlainSince } from './plain-provider';

/** What to ask for next; JSON, so that it can stand in a checkpoint. */
export interface Page {
  readonly url: string;
  readonly body?: Readonly<Record<string, unknown>>;
  /** Offset or number of this page. */
  readonly at?: number;
}

export interface PageAnswer {
  readonly status: number;
  readonly items: readonly unknown[];
  readonly json: unknown;
  readonly headers: Headers;
}

/** The resource as it is asked for what changed. */
export function changesOf(resource: PlainResource): PlainResource {
  const { since } = resource;
  if (!since) return resource;
  if ('newestFirst' in since) return { ...resource, ...since.newestFirst };
  return { ...resource, ...since.by, query: { ...(since.by?.query ?? resource.query), ...since.query } };
}

/** @param told since when changes are asked for, ms since the epoch, and what time it is */
export function firstPage({ query = {}, body, page, since }: PlainResource, address: string, told?: { from: number; now: number }): Page {
  const url = new URL(address);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  let sent = body;
  if (since && told && 'param' in since) {
    const text = (since.text ?? '{since}').replace('{since}', timeAs(since.as, told));
    if (since.param.startsWith('/')) sent = withPointed(body ?? {}, since.param, text) as NonNullable<Page['body']>;
    else url.searchParams.set(since.param, text);
  }
  const rest = sent && { body: sent };
  if (page.by !== 'offset' && page.by !== 'number') return { url: url.href, ...rest };
  const at = page.first ?? (page.by === 'number' ? 1 : 0);
  url.searchParams.set(page.param, String(at));
  if (page.sizeParam) url.searchParams.set(page.sizeParam, String(page.size));
  return { url: url.href, ...rest, at };
}

export const sourcesOf = ({ json, headers }: PageAnswer): Sources => ({ json, headers: Object.fromEntries(headers) });

/** @returns undefined after the last one */
export function nextPage({ page }: PlainResource, current: Page, answer: PageAnswer): Page | undefined {
  switch (page.by) {
    case 'none':
      return undefined;
    case 'link': {
      const next = nextLink(answer.headers.get('link'));
      return next === undefined ? undefined : { url: new URL(next, current.url).href };
    }
    case 'cursor': {
      const from = sourcesOf(answer);
      if (page.more !== undefined && textAt(page.more, from) !== 'true') return undefined;
      if (page.done !== undefined && textAt(page.done, from) === 'true') return undefined;
      const next = textAt(page.next, from) ?? longText(valueAt(page.next, from));
      if (next === undefined) return undefined;
      if (page.param === undefined) return { ...current, url: new URL(next, current.url).href };
      if (page.in !== 'body') return { ...current, url: withParam(current.url, page.param, next) };
      const place = page.param.startsWith('/') ? page.param : `/${page.param}`;
      return { ...current, body: withPointed(current.body ?? {}, place, next) as NonNullable<Page['body']> };
    }
    case 'offset':
    case 'number': {
      if (answer.items.length < page.size) return undefined;
      const at = (current.at ?? 0) + (page.by === 'offset' ? answer.items.length : 1);
      return { ...current, url: withParam(current.url, page.param, String(at)), at };
    }
  }
}

/** Whether the page is known by its number, be it in an address that the provider gave: what is removed meanwhile moves the rest into a page before it. */
export function isNumbered({ url }: Page): boolean {
  return [...new URL(url).searchParams].some(([name, value]) => NUMBER_PARAMS.test(name) && /^\d{1,9}$/.test(value));
}

const NUMBER_PARAMS = /^\$?(page|page\[(number|offset)\]|page_?number|pagenum|p|offset|start|start_?at|skip)$/i;

/** Whether there is more of a list that is declared to have no pages: RFC 9110 (206), and what APIs say by a link. */
export function isCut({ status, headers }: PageAnswer): boolean {
  return status === 206 || headers.has('next-range') || nextLink(headers.get('link')) !== undefined;
}

/** RFC 8288: `<address>; rel="next"`. */
export function nextLink(header: string | null): string | undefined {
  for (const part of (header ?? '').split(/,(?=\s*<)/)) {
    const [, address] = /^\s*<([^>]+)>.*;\s*rel="?next"?\s*(;|$)/.exec(part) ?? [];
    if (address !== undefined) return address;
  }
  return undefined;
}

/** Some cursors are whole states. */
function longText(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= 8_192 ? value : undefined;
}

function withParam(address: string, name: string, value: string): string {
  const url = new URL(address);
  url.searchParams.set(name, value);
  return url.href;
}

function timeAs(as: PlainSince['as'], { from, now }: { from: number; now: number }): string {
  switch (as) {
    case 'iso':
      return new Date(from).toISOString().replace(/\.\d{3}Z$/, 'Z');
    case 's':
      return String(Math.floor(from / 1000));
    case 'ms':
      return String(from);
    case 'minutes-ago':
      return String(Math.max(1, Math.ceil((now - from) / 60_000)));
  }
}

/** The same JSON with a value at a pointer; what the pointer goes through is copied. */
export function withPointed(json: unknown, pointer: string, value: unknown): unknown {
  if (pointer === '') return value;
  const [, name = '', ...rest] = pointer.split('/');
  const inner = (json ?? {}) as Record<string, unknown>;
  const changed = rest.length === 0 ? value : withPointed(inner[name], `/${rest.join('/')}`, value);
  if (!Array.isArray(json)) return { ...inner, [name]: changed };
  const list: unknown[] = [...(json as unknown[])];
  list[Number(name)] = changed;
  return list;
}
