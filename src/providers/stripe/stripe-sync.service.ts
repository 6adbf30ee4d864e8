import { Inject, Injectable } from '@nestjs/common';
import type Stripe from 'stripe';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationError } from '../../errors';
import type { Extent, ProviderSync, SyncContext, SyncPage, SyncRecord, SyncResource } from '../../integrations';
import { stripeClient, stripeList } from './stripe.client';
import { STRIPE, STRIPE_API_BASE_URL } from './stripe.facts';
import { currentRecord, STRIPE_RESOURCES, type StripeResource } from './stripe.resources';
import { stripeSettings } from './stripe.settings';
import { STRIPE_SHAPES } from './stripe.shapes';

const PAGE_SIZE = 100;
/** Objects that are asked for at once in an incremental run. */
const REFETCH_AT_ONCE = 5;
/** `created` counts whole seconds and events appear a little out of order: so much is read twice. */
const OVERLAP_S = 120;
/** How far our clock may be wrong before it costs an event. */
const CLOCK_MARGIN_S = 900;
/** Stripe keeps events for 30 days: https://docs.stripe.com/api/events */
const EVENTS_KEPT_S = 30 * 86_400;

/** Seconds since the epoch; nothing before it is still to come. */
const cursorShape = z.object({ since: z.number() });
/** The account's test clocks; null: they could not be read. */
const clocksShape = z.array(z.string()).nullable();
const fullCheckpoint = z.object({
  after: z.string().optional(),
  since: z.number(),
  pass: z.number().default(0),
  clocks: clocksShape.default(null),
});
const incrementalCheckpoint = z.object({ after: z.string(), since: z.number() });

/**
 * Full by list, then by the events since: a list filtered by `created` would show new objects, but no change and no deletion.
 * https://docs.stripe.com/api/pagination
 */
@Injectable()
export class StripeSyncService implements ProviderSync {
  readonly resources: readonly SyncResource[];
  private readonly apiBaseUrl: string;

  constructor(@Inject(SETTINGS) settings: Settings) {
    this.apiBaseUrl = providerSettings(settings, stripeSettings).apiBaseUrl ?? STRIPE_API_BASE_URL;
    this.resources = STRIPE_RESOURCES.map((resource) => ({
      name: resource.name,
      label: resource.label,
      shape: STRIPE_SHAPES[resource.name],
      full: (context) => this.full(context, resource),
      incremental: (context) => this.incremental(context, resource),
    }));
  }

  private async *full(context: SyncContext, resource: StripeResource): AsyncGenerator<SyncPage, Extent, void> {
    const client = stripeClient(context.fetch, this.apiBaseUrl);
    const resumed = fullCheckpoint.safeParse(context.checkpoint);
    // Asked before the first page: what changes while we page comes again with the events.
    const since = resumed.success ? resumed.data.since : await this.newestEvent(client, context);
    let after = resumed.success ? resumed.data.after : undefined;
    let pass = resumed.success ? resumed.data.pass : 0;
    const clocks = resumed.success ? resumed.data.clocks : await testClocks(client, context, resource);
    const passes = passesOf(resource, clocks);
    for (let first = true; ; first = false) {
      context.signal.throwIfAborted();
      let page: { data: { id: string }[]; hasMore: boolean };
      try {
        page = await stripeList(() =>
          resource.list(client, { limit: PAGE_SIZE, ...passes[pass], ...(after === undefined ? {} : { starting_after: after }) }),
        );
      } catch (error) {
        // The object at which we stopped may be gone by now; from the start then.
        if (!first || after === undefined || !isMissing(error)) throw error;
        after = undefined;
        continue;
      }
      after = page.data.at(-1)?.id;
      const records = page.data.map((object) => ({ id: object.id, data: object }));
      if (!page.hasMore || after === undefined) {
        after = undefined;
        if (++pass >= passes.length) {
          yield { records, cursor: { since } };
          return extentOf(resource, clocks);
        }
      }
      yield { records, checkpoint: { after, since, pass, clocks } };
    }
  }

  private async *incremental(context: SyncContext & { readonly cursor: unknown }, resource: StripeResource): AsyncIterable<SyncPage> {
    const cursor = cursorShape.safeParse(context.cursor);
    const now = Math.floor(context.now() / 1000);
    if (!cursor.success || cursor.data.since < now - EVENTS_KEPT_S + CLOCK_MARGIN_S)
      throw new IntegrationError('sync_cursor_expired', { provider: STRIPE });
    const client = stripeClient(context.fetch, this.apiBaseUrl);
    const resumed = incrementalCheckpoint.safeParse(context.checkpoint);
    let since = resumed.success ? resumed.data.since : Math.max(cursor.data.since, now - CLOCK_MARGIN_S);
    let after = resumed.success ? resumed.data.after : undefined;
    const seen = new Set<string>();
    for (;;) {
      context.signal.throwIfAborted();
      const page = await this.eventsOf(() =>
        client.events.list({
          types: [...resource.eventTypes],
          created: { gte: cursor.data.since - OVERLAP_S },
          limit: PAGE_SIZE,
          ...(after === undefined ? {} : { starting_after: after }),
        }),
      );
      // Newest first: one object's later events would bring the same state again.
      const ids = page.data.map(subjectOf).filter((id): id is string => id !== undefined && !seen.has(id));
      for (const id of ids) seen.add(id);
      since = Math.max(since, page.data[0]?.created ?? 0);
      after = page.data.at(-1)?.id;
      const records = await refetch(client, resource, [...new Set(ids)], context.signal);
      if (!page.hasMore || after === undefined) {
        yield { records, cursor: { since } };
        return;
      }
      yield { records, checkpoint: { after, since } };
    }
  }

  /** @throws IntegrationError `sync_cursor_expired` where the key may not read events: the lists tell then */
  private async eventsOf(list: () => Promise<Stripe.ApiList<Stripe.Event>>): Promise<{ data: Stripe.Event[]; hasMore: boolean }> {
    try {
      return await stripeList(list);
    } catch (error) {
      throw isForbidden(error) ? new IntegrationError('sync_cursor_expired', { provider: STRIPE, cause: error }) : error;
    }
  }

  /** Time of the newest event, by Stripe's clock; of an account without any, by ours less a margin. */
  private async newestEvent(client: Stripe, context: SyncContext): Promise<number> {
    const ours = Math.floor(context.now() / 1000) - CLOCK_MARGIN_S;
    try {
      const { data } = await stripeList(() => client.events.list({ limit: 1 }));
      return data[0]?.created ?? ours;
    } catch (error) {
      if (!isForbidden(error)) throw error;
      return ours; // a restricted key without the permission for events may read the lists all the same
    }
  }
}

/** The account's test clocks, of which there are none in live mode. @returns null where they cannot all be read */
async function testClocks(client: Stripe, { connection }: SyncContext, resource: StripeResource): Promise<string[] | null> {
  if (resource.testClocks === undefined || connection.metadata['livemode'] === true) return [];
  try {
    const { data, hasMore } = await stripeList(() => client.testHelpers.testClocks.list({ limit: PAGE_SIZE }));
    return hasMore ? null : data.map(({ id }) => id);
  } catch (error) {
    // Refused for whatever reason: a key that may not read them, or a mode that is not known here. The lists are read all the same.
    if (!isForbidden(error) && !isMissing(error) && !(error instanceof IntegrationError && error.code === 'provider_rejected')) throw error;
    return null;
  }
}

/** One list after the other. */
function passesOf(
  { passes = [{}], testClocks: kind }: StripeResource,
  clocks: readonly string[] | null,
): NonNullable<StripeResource['passes']> {
  return kind === 'by-name' ? [...passes, ...(clocks ?? []).map((id) => ({ test_clock: id }))] : passes;
}

function extentOf({ extent, testClocks: kind }: StripeResource, clocks: readonly string[] | null): Extent {
  if (extent) return extent;
  const whole = clocks !== null && (kind !== 'untold' || clocks.length === 0);
  return whole ? { complete: true } : { complete: false, why: 'What belongs to test clocks may be missing in this list of Stripe.' };
}

async function refetch(client: Stripe, resource: StripeResource, ids: readonly string[], signal: AbortSignal): Promise<SyncRecord[]> {
  const records: SyncRecord[] = [];
  for (let start = 0; start < ids.length; start += REFETCH_AT_ONCE) {
    signal.throwIfAborted();
    records.push(...(await Promise.all(ids.slice(start, start + REFETCH_AT_ONCE).map((id) => currentRecord(client, resource, id)))));
  }
  return records;
}

function subjectOf(event: Stripe.Event): string | undefined {
  const { id } = event.data.object as { id?: unknown };
  return typeof id === 'string' ? id : undefined;
}

function isForbidden(error: unknown): boolean {
  return error instanceof IntegrationError && (error.code === 'provider_forbidden' || error.code === 'missing_scope');
}

function isMissing(error: unknown): boolean {
  return error instanceof IntegrationError && (error.providerCode === 'resource_missing' || error.code === 'provider_not_found');
}
