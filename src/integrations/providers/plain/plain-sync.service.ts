import type { ProviderSettings } from '../../../config/provider-settings';
import { IntegrationError } from '../../../errors';
import { timeOf } from '../../../time-of';
import type { ConnectionRef, Extent, ProviderSync, SyncContext, SyncPage, SyncRecord, SyncResource } from '../../contract';
import { pointed } from '../pointed';
import { textAt, valueAt } from './at';
import type { Values } from './filled-address';
import { PlainAddresses } from './plain-addresses';
import { changesOf, firstPage, isCut, isNumbered, nextPage, sourcesOf, type Page, type PageAnswer } from './plain-pages';
import { plainShape } from './plain-shape';
import { plainWatch } from './plain-watch';
import type { PlainExtent, PlainProvider, PlainResource } from './plain-provider';

/** What changed while we walked is read again: clocks differ, and lists are a little late. */
const OVERLAP_MS = 120_000;

/** Where a walk stands: the page to ask for next, and when it began. */
interface Standing {
  readonly page: Page;
  readonly since: number;
  /** What this walk itself asks for. */
  readonly from?: number;
  /** Some answer left something out. */
  readonly partial?: boolean;
}

/** Synced resources, as declared: pages by link, cursor, offset or number, and `since` where the provider has it. */
export class PlainSyncService implements ProviderSync {
  readonly resources: readonly SyncResource[];
  private readonly addresses: PlainAddresses;

  constructor(
    private readonly declaration: PlainProvider,
    own: ProviderSettings,
  ) {
    this.addresses = new PlainAddresses(declaration, own);
    this.resources = (declaration.resources ?? []).map((resource) => ({
      name: resource.name,
      label: resource.label,
      shape: plainShape(resource),
      ...(resource.scopes && { scopes: resource.scopes }),
      ...(resource.widerScopes && { widerScopes: resource.widerScopes }),
      full: (context) => this.walk(resource, context),
      ...(resource.watch && { watch: plainWatch(declaration, resource.watch, own) }),
      ...(resource.since && { incremental: (context) => this.changes(resource, context, sinceIn(context.cursor, declaration.key)) }),
    }));
  }

  /** A list of what changed says nothing of how much of all there is the whole list holds. */
  private async *changes(resource: PlainResource, context: SyncContext, from: number): AsyncIterable<SyncPage> {
    yield* this.walk(resource, context, from);
  }

  private async *walk(resource: PlainResource, context: SyncContext, from?: number): AsyncGenerator<SyncPage, Extent, void> {
    const values: Values = { ...context.connection.metadata, accountId: context.connection.accountId };
    const facts = from === undefined ? resource : changesOf(resource);
    const resumed = standingIn(context.checkpoint);
    const now = context.now();
    const begun = resumed ?? {
      page: firstPage(facts, this.addresses.below(facts.path, values), from === undefined ? undefined : { from, now }),
      since: now - OVERLAP_MS,
      ...(from !== undefined && { from }),
    };
    let numbered = resumed !== undefined && isNumbered(resumed.page);
    let cut = false;
    let partial = resumed?.partial === true;
    for (let page: Page | undefined = begun.page; page;) {
      context.signal.throwIfAborted();
      const answer = await this.ask(facts, page, context);
      if (from !== undefined && isTooMuch(facts, answer))
        throw new IntegrationError('sync_cursor_expired', { provider: this.declaration.key });
      const news = answer.items.filter((item) => !isKnown(facts, item, from));
      const records = news.map((item) => recordOf(resource, item, this.declaration.key));
      cut ||= facts.page.by === 'none' && isCut(answer);
      partial ||= resource.partial !== undefined && valueAt(resource.partial.at, sourcesOf(answer)) !== undefined;
      page = news.length < answer.items.length ? undefined : nextPage(facts, page, answer);
      numbered ||= page !== undefined && isNumbered(page);
      if (page) yield { records, checkpoint: { ...begun, page, ...(partial && { partial }) } satisfies Standing };
      else yield { records, ...(resource.since && { cursor: { since: begun.since } }) };
    }
    return extentOf(resource, context.connection, { numbered, cut, partial });
  }

  private async ask(resource: PlainResource, page: Page, { fetch, signal }: SyncContext): Promise<PageAnswer> {
    const { body } = page;
    const answer = await fetch(page.url, {
      method: resource.method ?? 'GET',
      headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
      signal,
    });
    const json: unknown = await answer.json();
    const items = pointed(json, resource.items ?? '');
    // An answer without its list is no empty list: it would sweep everything.
    if (!Array.isArray(items)) throw new IntegrationError('provider_bad_answer', { provider: this.declaration.key });
    return { status: answer.status, items, json, headers: answer.headers };
  }
}

function isTooMuch({ since }: PlainResource, { json }: PageAnswer): boolean {
  const most = since && 'param' in since ? since.most : undefined;
  return most !== undefined && Number(valueAt(most.at, { json })) > most.count;
}

/** What of a list that begins with the newest was known already: it has been read as far as that. */
function isKnown({ since, version }: PlainResource, item: unknown, from: number | undefined): boolean {
  if (from === undefined || !since || !('newestFirst' in since)) return false;
  const changed = versionOf(valueAt(version, { json: item }));
  return changed !== undefined && changed < from;
}

function extentOf(
  { extent, page, partial }: PlainResource,
  connection: ConnectionRef,
  seen: { numbered: boolean; cut: boolean; partial: boolean },
): Extent {
  const { numbered, cut } = seen;
  const leftOut = leftOutOf(extent, connection) ?? (seen.partial ? partial?.why : undefined);
  if (leftOut !== undefined) return { complete: false, why: leftOut };
  if (cut) return { complete: false, why: 'The provider gives the beginning of this list only.' };
  // What is added or removed in between moves the rest across the border of a page that was read already.
  if (numbered || page.by === 'offset' || page.by === 'number')
    return { complete: false, why: 'What is deleted there may stay here: the list has numbered pages, which shift while they are read.' };
  return { complete: true };
}

/** @returns undefined where it is declared to hold everything, and what it needs for that was consented to */
function leftOutOf(extent: PlainExtent, { scopes = [] }: ConnectionRef): string | undefined {
  if (extent === 'whole') return undefined;
  if ('window' in extent) return extent.window;
  if ('filtered' in extent) return extent.filtered;
  return extent.wholeWith.every((scope) => scopes.includes(scope)) ? undefined : extent.otherwise;
}

function recordOf(resource: PlainResource, item: unknown, provider: string): SyncRecord {
  const id = textAt(resource.id ?? '/id', { json: item });
  if (id === undefined)
    throw new IntegrationError('provider_bad_answer', { provider, detail: 'The provider listed something without an id.' });
  const { deletedWhen } = resource;
  if (deletedWhen && textAt(deletedWhen.at, { json: item }) === deletedWhen.is) return { id, deleted: true };
  const version = versionOf(valueAt(resource.version, { json: item }));
  return { id, data: item, ...(version !== undefined && { version }), ...hangsOn(resource, textAt(resource.partOf?.at, { json: item })) };
}

export function hangsOn({ partOf }: PlainResource, id: string | undefined): Pick<SyncRecord, 'partOf'> {
  return partOf && id !== undefined ? { partOf: { resource: partOf.resource, id } } : {};
}

/** A time as ms, or a counter as it is. */
export function versionOf(value: unknown): number | undefined {
  const number =
    typeof value === 'number' ? value : typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : timeOf(String(value));
  return Number.isFinite(number) ? number : undefined;
}

function standingIn(checkpoint: unknown): Standing | undefined {
  const { page, since } = (checkpoint ?? {}) as Partial<Standing>;
  return typeof page?.url === 'string' && typeof since === 'number' ? (checkpoint as Standing) : undefined;
}

function sinceIn(cursor: unknown, provider: string): number {
  const { since } = (cursor ?? {}) as { since?: unknown };
  if (typeof since !== 'number') throw new IntegrationError('sync_cursor_expired', { provider });
  return since;
}
