import { IntegrationError } from '../../../errors';
import type { HandlerContext, WebhookEvent, WebhookFacts, WebhookHandler } from '../../contract';
import { pointed } from '../pointed';
import { textAt, valueAt } from './at';
import type { PlainAddresses } from './plain-addresses';
import { itemOf } from './plain-event-items';
import type { PlainEventRecords, PlainProvider, PlainWebhooks } from './plain-provider';
import { hangsOn, versionOf } from './plain-sync.service';

/** What a declaration's events do: records in real time, a sync that is asked for, the end of an access. */
export function plainHandlers(
  declaration: PlainProvider,
  facts: PlainWebhooks,
  addresses: PlainAddresses,
): NonNullable<WebhookFacts['handlers']> {
  const records = (facts.records ?? []).map((each) => ({ types: each.types, handler: new PlainRecordsHandler(declaration, each) }));
  const { scheme } = facts;
  const watches =
    scheme.kind === 'watch'
      ? WATCH_TALK.flatMap((what) => {
          const types = facts.watches?.[what];
          return types ? [{ types, handler: new PlainWatchHandler(facts, scheme.token, what) }] : [];
        })
      : [];
  const ended = facts.ended ? [{ types: facts.ended, handler: new PlainEndHandler(declaration, addresses) }] : [];
  return [...records, ...watches, ...ended];
}

const WATCH_TALK = ['renew', 'ended', 'missed'] as const;

/** The provider speaks of a watch itself. */
class PlainWatchHandler implements WebhookHandler {
  constructor(
    private readonly facts: PlainWebhooks,
    private readonly token: string,
    private readonly what: (typeof WATCH_TALK)[number],
  ) {}

  async handle(event: WebhookEvent, context: HandlerContext): Promise<void> {
    const [channelId] = String(pointed(itemOf(this.facts, event), this.token)).split('.');
    if (channelId !== undefined) await context.tendWatch(channelId, this.what);
  }
}

/** The event carries the object, or says that there is something to fetch. */
class PlainRecordsHandler implements WebhookHandler {
  constructor(
    private readonly declaration: PlainProvider,
    private readonly facts: PlainEventRecords,
  ) {}

  async handle(event: WebhookEvent, context: HandlerContext): Promise<void> {
    const { resource: name, at, id: place, gone = [], goneInPart } = this.facts;
    const { webhooks, resources } = this.declaration;
    const resource = resources?.find((each) => each.name === name);
    if (!context.connection || !resource || !webhooks) return;
    const item = itemOf(webhooks, event);
    const data = at === undefined ? undefined : pointed(item, at);
    const id = place === undefined ? textAt(resource.id ?? '/id', { json: data }) : textAt(place, { json: item });
    const deleted = gone.includes(event.type);
    if (deleted && goneInPart && textAt(goneInPart.at, { json: item }) === goneInPart.is) return context.requestSync([name]);
    if (id === undefined || (data === undefined && !deleted)) return context.requestSync([name]);
    const version = versionOf(valueAt(resource.version, { json: data }));
    const parent = textAt(resource.partOf?.at, { json: data }) ?? textAt(this.facts.partOf, { json: item });
    const record = deleted ? { id, deleted } : { id, data, ...(version !== undefined && { version }), ...hangsOn(resource, parent) };
    await context.applyRecords(name, [record]);
  }

  /** A run reads how the object is now. What is gone is gone: nothing is made anew under the id that it had. */
  async handleTie(event: WebhookEvent, context: HandlerContext): Promise<void> {
    if (this.facts.gone?.includes(event.type)) return this.handle(event, context);
    if (context.connection) await context.requestSync([this.facts.resource]);
  }
}

/** The provider is asked first: the account may have been connected again before this came. */
class PlainEndHandler implements WebhookHandler<unknown, boolean> {
  constructor(
    private readonly declaration: PlainProvider,
    private readonly addresses: PlainAddresses,
  ) {}

  async prepare(_event: WebhookEvent, { connection, fetch }: Parameters<NonNullable<WebhookHandler['prepare']>>[1]): Promise<boolean> {
    const { account } = this.declaration;
    if (account.path === undefined) return true;
    try {
      const answer = await fetch(this.addresses.below(account.path, connection.metadata), { method: account.method ?? 'GET' });
      await answer.arrayBuffer();
      return false;
    } catch (error) {
      if (error instanceof IntegrationError && (error.code === 'needs_reauth' || error.code === 'not_connected')) return true;
      throw error;
    }
  }

  async handle({ type }: WebhookEvent, context: HandlerContext, ended: boolean): Promise<void> {
    if (context.connection && ended) await context.markRevoked({ code: 'needs_reauth', providerCode: type });
  }
}
