import { textAt, valueAt, type Sources } from './at';
import type { PlainResource } from './plain-provider';

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

/** @param from ms since the epoch: only what changed since then */
export function firstPage({ query = {}, page, since }: PlainResource, address: string, from?: number): Page {
  const url = new URL(address);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  if (since && from !== undefined) {
    for (const [name, value] of Object.entries(since.query ?? {})) url.searchParams.set(name, value);
    url.searchParams.set(since.param, timeAs(since.as, from));
  }
  if (page.by !== 'offset' && page.by !== 'number') return { url: url.href };
  const at = page.first ?? (page.by === 'number' ? 1 : 0);
  url.searchParams.set(page.param, String(at));
  if (page.sizeParam) url.searchParams.set(page.sizeParam, String(page.size));
  return { url: url.href, at };
}

export const sourcesOf = ({ json, headers }: PageAnswer): Sources => ({ json, headers: Object.fromEntries(headers) });

/** @returns undefined after the last one */
export function nextPage({ page, body }: PlainResource, current: Page, answer: PageAnswer): Page | undefined {
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
      const next = textAt(page.next, from) ?? longText(valueAt(page.next, from));
      if (next === undefined) return undefined;
      if (page.param === undefined) return { url: new URL(next, current.url).href };
      if (page.in === 'body') return { url: current.url, body: { ...body, [page.param]: next } };
      return { url: withParam(current.url, page.param, next) };
    }
    case 'offset':
    case 'number': {
      if (answer.items.length < page.size) return undefined;
      const at = (current.at ?? 0) + (page.by === 'offset' ? answer.items.length : 1);
      return { url: withParam(current.url, page.param, String(at)), at };
    }
  }
}

/** Whether the page is known by its number, be it in an address that the provider gave: what is removed meanwhile moves the rest into a page before it. */
export function isNumbered({ url }: Page): boolean {
  return [...new URL(url).searchParams].some(([name, value]) => NUMBER_PARAMS.test(name) && /^\d{1,9}$/.test(value));
}

const NUMBER_PARAMS = /^(page|page\[(number|offset)\]|page_?number|pagenum|p|offset|start|start_?at|skip)$/i;

/** Whether there is more of a list that is declared to have no pages: RFC 9110 (206), and what APIs say by a link. */
export function isCut({ status, headers }: PageAnswer): boolean {
  return status === 206 || headers.has('next-range') || nextLink(headers.get('link')) !== undefined;
}

/** RFC 8288: `<address>; rel="next"`. */
function nextLink(header: string | null): string | undefined {
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

function timeAs(as: 'iso' | 's' | 'ms', ms: number): string {
  if (as === 'iso') return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
  return String(as === 's' ? Math.floor(ms / 1000) : ms);
}
