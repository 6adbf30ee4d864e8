import { html, type Html, type HtmlPart, type SessionPrincipal } from '../../http-api';

export const ALERTS_PATH = '/admin/alerts';
export const CONNECTIONS_PATH = '/admin/connections';
export const EVENTS_PATH = '/admin/webhook-events';
export const FAILED_EVENTS_PATH = '/admin/failed-events';
export const REPLAYS_PATH = '/admin/replays';
export const RUNS_PATH = '/admin/sync-runs';
export const REQUESTS_PATH = '/admin/requests';
export const DELIVERIES_PATH = '/admin/deliveries';
export const DESTINATIONS_PATH = '/admin/destinations';
export const AUDIT_PATH = '/admin/audit';
export const KEYS_PATH = '/admin/keys';
export const PROVIDERS_PATH = '/admin/providers';

/** To the page of a thing, by the end of its id: that tells rows apart, and the whole id is at hand. */
export function idLink(path: string, id: string | null): Html | undefined {
  return id === null ? undefined : html`<a href="${path}/${id}" title="${id}">…${id.slice(-6)}</a>`;
}

/** What the rows and facts of a page are shown by. */
export interface ViewContext {
  readonly nowMs: number;
  readonly caller: SessionPrincipal;
  /** Of a provider, by its key. */
  readonly nameOf: (provider: string) => string;
}

/** A provider as people write it; its key is at hand. */
export function providerName(key: string, { nameOf }: Pick<ViewContext, 'nameOf'>): Html {
  return html`<span title="${key}">${nameOf(key)}</span>`;
}

export function providerLink(key: string, { nameOf }: Pick<ViewContext, 'nameOf'>): Html {
  return html`<a href="${PROVIDERS_PATH}/${key}" title="${key}">${nameOf(key)}</a>`;
}

/** A whole id: one click selects it, and the script offers to copy it. */
export function wholeId(id: string): Html {
  return html`<code class="id" data-copy>${id}</code>`;
}

/** A text that people copy whole, and that may be longer than a cell: an address. */
export function wholeText(text: string): Html {
  return html`<code class="id address" data-copy>${text}</code>`;
}

/** A column of a list for those who see more than one organization; for others none. */
export interface TenantColumn {
  readonly heading: readonly string[];
  cell(tenant: string | null): readonly HtmlPart[];
}

export function tenantColumn(caller: SessionPrincipal): TenantColumn {
  const sees = caller.role === 'operator';
  return {
    heading: sees ? ['Organization'] : [],
    cell: (tenant) => (sees ? [html`<span class="name">${tenant ?? '–'}</span>`] : []),
  };
}

/** Names and values of one thing. */
export type Facts = readonly (readonly [string, HtmlPart])[];

export function factList(facts: Facts): Html {
  const isSaid = (value: HtmlPart) => value !== null && value !== undefined && value !== false && value !== '';
  return html`<dl class="facts">
    ${facts.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${isSaid(value) ? value : '–'}</dd>`,
    )}
  </dl>`;
}
