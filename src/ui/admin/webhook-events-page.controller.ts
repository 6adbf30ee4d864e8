import { Controller, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import {
  BrowserNews,
  CurrentUser,
  html,
  type Html,
  IdParam,
  Roles,
  visibleTenant,
  ZodBody,
  type SessionPrincipal,
  byId,
} from '../../http-api';
import {
  EventFilters,
  ProviderRegistry,
  replayActorOf,
  ReplayRuns,
  WebhookEventList,
  WebhookReplay,
  type EventFilter,
  type StoredEventView,
} from '../../integrations';
import { confirmPage } from '../confirm-page';
import { actionForm } from '../form';
import { page } from '../layout';
import { liveRegion } from '../live/live-region';
import { FormRoute, PageRoute } from '../page-route.decorators';
import { addressOf } from '../table';
import { adminNews, adminNotice } from './admin-notices';
import { ListPages } from './list-pages';
import { beginning, cursorOf, filterId, filterOf, filterText, whoseFields } from './list-query';
import { Visit, type PageVisit } from './page-visit';
import { EVENTS_PATH as PATH, FAILED_EVENTS_PATH, REPLAYS_PATH } from './admin-links';
import { eventFacts, eventTable } from './webhook-event-views';

const STATUSES = [
  { value: 'received', label: 'Received' },
  { value: 'processing', label: 'Processing' },
  { value: 'completed', label: 'Completed' },
  { value: 'failed', label: 'Failed' },
  { value: 'dead', label: 'Dead' },
] as const;

const filterShape = {
  provider: filterText,
  type: filterText,
  status: filterOf(STATUSES.map(({ value }) => value)),
  eventId: filterText,
  connectionId: filterId,
  ...whoseFields,
};
const listShape = { ...filterShape, cursor: cursorOf(byId) };
const replayForm = z.strictObject({ ...filterShape, confirmed: z.literal('yes').optional() });
const nothing = z.strictObject({});

type AskedFilter = z.infer<z.ZodObject<typeof filterShape>>;

/** What came in, what became of it, and again. */
@Roles('admin')
@Controller('admin/webhook-events')
export class WebhookEventsPageController {
  constructor(
    private readonly lists: ListPages,
    private readonly events: WebhookEventList,
    private readonly replays: WebhookReplay,
    private readonly runs: ReplayRuns,
    private readonly registry: ProviderRegistry,
    private readonly filters: EventFilters,
    private readonly news: BrowserNews,
  ) {}

  @PageRoute()
  show(@Visit() visit: PageVisit): Promise<string> {
    const providers = this.registry.offered().map(({ key, name }) => ({ value: key, label: name }));
    return this.lists.show(
      {
        title: 'Webhook events',
        path: PATH,
        topic: 'webhook-events',
        shape: listShape,
        fields: (form) =>
          form
            .select('provider', 'Provider', providers)
            .select('status', 'Status', STATUSES)
            .text('type', 'Type, or its beginning')
            .text('eventId', "Provider's event id, or its beginning")
            .text('connectionId', 'Connection')
            .whose(),
        read: async ({ cursor, ...asked }, limit, { tenant }) =>
          this.events.list({ ...(await this.resolved(asked, tenant)), tenant }, limit, cursor),
        position: ({ id }: StoredEventView) => ({ id }),
        above: () => html`<p><a href="${FAILED_EVENTS_PATH}">What fails, by kind and error</a> · <a href="${REPLAYS_PATH}">Replays</a></p>`,
        table: eventTable,
        below: (rows, { given, caller }) => (rows.length > 0 ? replayAll(given, caller) : undefined),
      },
      visit,
    );
  }

  @PageRoute(':id')
  async one(@Visit() { caller, request, reply }: PageVisit, @IdParam('id', 'not_found') id: string): Promise<string> {
    const event = await this.events.find(id, visibleTenant(caller));
    return page({
      title: 'Webhook event',
      caller,
      path: PATH,
      body: html`${adminNotice(this.news.take(request, reply, caller))}
      ${liveRegion('webhook-event', eventFacts(event, this.lists.viewFor(caller)), id)}`,
    });
  }

  /** First how many it would be, then, when that is confirmed, all of them. */
  @FormRoute('replay')
  async replayAll(
    @CurrentUser() caller: SessionPrincipal,
    @ZodBody(replayForm) { confirmed, ...filter }: z.infer<typeof replayForm>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const asked = await this.resolved(filter, visibleTenant(caller));
    const { matched } = await this.replays.many(asked, replayActorOf(caller), true);
    const back = addressOf(PATH, filter);
    if (matched === 0 || confirmed) {
      this.news.tell(reply, caller, adminNews(matched === 0 ? 'nothing-to-replay' : 'replayed-all'));
      const to = matched === 0 ? back : `${REPLAYS_PATH}/${(await this.runs.start(asked, replayActorOf(caller))).id}`;
      return void (await reply.redirect(to, 303));
    }
    const count = matched === 1 ? '1 event matches' : `${matched.toLocaleString('en')} events match`;
    const question = `${count}${filter.status === undefined ? ' (failed and dead ones)' : ''}. Process ${matched === 1 ? 'it' : 'them'} again?`;
    await reply.send(
      confirmPage({
        title: 'Replay',
        question,
        to: `${PATH}/replay`,
        label: 'Replay',
        fields: filled(filter),
        back,
        path: PATH,
        caller,
      }),
    );
  }

  @FormRoute(':id/replay')
  async replayOne(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam('id', 'not_found') id: string,
    @ZodBody(nothing) _: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { eventId } = await this.replays.one(id, replayActorOf(caller));
    this.news.tell(reply, caller, adminNews('replayed'));
    await reply.redirect(addressOf(PATH, { eventId }), 303);
  }

  private resolved({ type, eventId, from, to, ...rest }: AskedFilter, tenant: string | undefined): Promise<EventFilter> {
    return this.filters.of({ ...rest, type: beginning(type), eventId: beginning(eventId), receivedFrom: from, receivedTo: to }, tenant);
  }
}

function replayAll(fields: Readonly<Record<string, string>>, { csrfToken }: SessionPrincipal): Html {
  const button = actionForm({ to: `${PATH}/replay`, label: 'Replay all that match…', csrfToken, id: 'replay-all', fields });
  return html`<div class="actions">${button}</div>`;
}

function filled(filter: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(filter).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
