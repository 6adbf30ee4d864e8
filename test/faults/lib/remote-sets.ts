import { createHash } from 'node:crypto';
import { readFeed } from '../../support/change-feed';
import type { ProductUser } from '../../support/product-user';
import type { LedgerEntry, SandboxProcess } from '../../support/sandbox-process';

/** Records by id, their content as text with its keys in order. */
export type RecordSet = ReadonlyMap<string, string>;

export interface SetDifference {
  readonly missing: readonly string[];
  /** There, but not (any more) at the provider. */
  readonly surplus: readonly string[];
  readonly outdated: readonly string[];
}

/** What a provider has, read through its own API with a token of the judge's. */
export interface RemoteReader {
  customers(): Promise<RecordSet>;
  /** Of all calendars, or of one; what is cancelled is not there. */
  events(calendar?: string): Promise<RecordSet>;
  /** Stripe's events of customers as pages of 100, newest first: the second in which each was made. */
  customerEventPages(): Promise<readonly (readonly number[])[]>;
  /** Requests of the service, not ours. */
  requests(endpoint: string, since: number): Promise<readonly LedgerEntry[]>;
}

interface StripePage {
  readonly data: readonly { readonly id: string; readonly created: number }[];
  readonly has_more: boolean;
}

interface GooglePage {
  readonly items?: readonly { readonly id: string; readonly status?: string }[];
  readonly nextPageToken?: string;
}

export async function remoteReader(sandbox: SandboxProcess, provider: 'stripe' | 'google', account: string): Promise<RemoteReader> {
  const minted = await sandbox.post<{ access_token: string }>('/tokens/mint', { provider, account });
  const token = minted.access_token;
  const own = createHash('sha256').update(token).digest('hex').slice(0, 12);
  const get = async <T>(path: string): Promise<T> => {
    const answer = await fetch(sandbox.urls[provider] + path, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(60_000),
    });
    if (!answer.ok) throw new Error(`${path.split('?')[0]} was answered ${answer.status}`);
    return (await answer.json()) as T;
  };
  const stripePages = async (path: string): Promise<StripePage['data'][]> => {
    const pages: StripePage['data'][] = [];
    for (let after = ''; ;) {
      const page = await get<StripePage>(`${path}limit=100${after && `&starting_after=${after}`}`);
      pages.push(page.data);
      after = page.data.at(-1)?.id ?? '';
      if (!page.has_more || after === '') return pages;
    }
  };
  const googleItems = async (path: string) => {
    const items: NonNullable<GooglePage['items']>[number][] = [];
    for (let pageToken = ''; ;) {
      const page: GooglePage = await get(`${path}?maxResults=250${pageToken && `&pageToken=${encodeURIComponent(pageToken)}`}`);
      items.push(...(page.items ?? []));
      if (!page.nextPageToken) return items;
      pageToken = page.nextPageToken;
    }
  };
  return {
    customers: async () => setOf((await stripePages('/v1/customers?')).flat()),
    events: async (calendar) => {
      const calendars = calendar === undefined ? await googleItems('/calendar/v3/users/me/calendarList') : [{ id: calendar }];
      const lists = [];
      for (const { id } of calendars) lists.push(await googleItems(`/calendar/v3/calendars/${encodeURIComponent(id)}/events`));
      return setOf(lists.flat().filter(({ status }) => status !== 'cancelled'));
    },
    customerEventPages: async () => {
      const pages = await stripePages('/v1/events?types[]=customer.created&types[]=customer.updated&types[]=customer.deleted&');
      return pages.map((page) => page.map(({ created }) => created));
    },
    requests: async (endpoint, since) => (await sandbox.requests({ endpoint, since, account })).filter((entry) => entry.token !== own),
  };
}

/** What a reader of the records feed knows, without cancelled occurrences. */
export async function storedSet(user: ProductUser, connection: string, resource: string): Promise<RecordSet> {
  const stored = [...(await readFeed(user, connection, resource))].map(([id, text]) => ({ id, data: JSON.parse(text) as object }));
  const live = stored.filter(({ data }) => (data as { status?: string }).status !== 'cancelled');
  return new Map(live.map(({ id, data }) => [id, ordered(data)]));
}

export function compareSets(remote: RecordSet, stored: RecordSet): SetDifference {
  return {
    missing: [...remote.keys()].filter((id) => !stored.has(id)),
    surplus: [...stored.keys()].filter((id) => !remote.has(id)),
    outdated: [...remote].flatMap(([id, text]) => (stored.has(id) && stored.get(id) !== text ? [id] : [])),
  };
}

export function isEqual({ missing, surplus, outdated }: SetDifference): boolean {
  return missing.length === 0 && surplus.length === 0 && outdated.length === 0;
}

export function inWords({ missing, surplus, outdated }: SetDifference, remote: RecordSet): string {
  return `${missing.length} missing, ${surplus.length} surplus, ${outdated.length} outdated of ${remote.size}`;
}

export function setOf(items: readonly { readonly id: string }[]): RecordSet {
  return new Map(items.map((item) => [item.id, ordered(item)]));
}

function ordered(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
