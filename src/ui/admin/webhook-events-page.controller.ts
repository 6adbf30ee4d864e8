import { Controller, Inject, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import {
  BrowserNews,
  CurrentUser,
  type EdgeRequest,
  html,
  type Html,
  IdParam,
  Roles,
  visibleTenant,
  ZodBody,
  type SessionPrincipal,
  byId,
  pageFrom,
} from '../../http-api';
import { CLOCK, type Clock } from '../../clock';
import {
  ConnectionRepository,
  ProviderRegistry,
  WebhookEventList,
  WebhookReplay,
  type EventFilter,
  type ReplayActor,
} from '../../integrations';
import { confirmPage } from '../confirm-page';
import { actionForm } from '../form';
import { page } from '../layout';
import { liveRegion } from '../live/live-region';
import { FormRoute, PageRoute } from '../page-route.decorators';
import { addressOf, nextPage } from '../table';
import { adminNews, adminNotice } from './admin-notices';
import { FilterFields } from './filter-fields';
import { beginning, cursorOf, filterId, filterOf, filterText, PAGE_ROWS, readFilters, whoseFields, withoutCursor } from './list-query';
import { EVENTS_PATH as PATH, FAILED_EVENTS_PATH } from './admin-links';
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
    private readonly events: WebhookEventList,
    private readonly replays: WebhookReplay,
    private readonly registry: ProviderRegistry,
    private readonly connections: ConnectionRepository,
    private readonly news: BrowserNews,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @PageRoute()
  async show(
    @CurrentUser() caller: SessionPrincipal,
    @Query() query: unknown,
    @Req() request: EdgeRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const filters = readFilters(listShape, query);
    const form = this.form(filters);
    const notice = adminNotice(this.news.take(request, reply, caller));
    if (!filters.values) {
      void reply.status(400);
      return page({ title: 'Webhook events', caller, path: PATH, body: html`${notice} ${form}` });
    }
    const { cursor, ...asked } = filters.values;
    const tenant = visibleTenant(caller);
    const found = await this.events.list({ ...(await this.resolved(asked, tenant)), tenant }, PAGE_ROWS + 1, cursor);
    const { data: events, nextCursor } = pageFrom(found, PAGE_ROWS, ({ id }) => ({ id }));
    const given = withoutCursor(filters);
    const { csrfToken } = caller;
    const replayAll = actionForm({
      to: `${PATH}/replay`,
      label: 'Replay all that match…',
      csrfToken,
      id: 'replay-all',
      fields: given,
    });
    const grouped = html`<p><a href="${FAILED_EVENTS_PATH}">What fails, by kind and error</a></p>`;
    const body = html`${notice} ${form} ${grouped} ${liveRegion('webhook-events', eventTable(events, { nowMs: this.clock.now(), caller }))}
    ${nextPage(PATH, given, nextCursor)} ${events.length > 0 && html`<div class="actions">${replayAll}</div>`}`;
    return page({ title: 'Webhook events', caller, path: PATH, body });
  }

  @PageRoute(':id')
  async one(@CurrentUser() caller: SessionPrincipal, @IdParam('id', 'not_found') id: string): Promise<string> {
    const event = await this.events.find(id, visibleTenant(caller));
    return page({
      title: 'Webhook event',
      caller,
      path: PATH,
      body: eventFacts(event, { nowMs: this.clock.now(), caller }),
    });
  }

  /** First how many it would be, then, when that is confirmed, all of them. */
  @FormRoute('replay')
  async replayAll(
    @CurrentUser() caller: SessionPrincipal,
    @ZodBody(replayForm) { confirmed, ...filter }: z.infer<typeof replayForm>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { matched } = await this.replays.many(
      await this.resolved(filter, visibleTenant(caller)),
      actorOf(caller),
      confirmed === undefined,
    );
    const back = addressOf(PATH, filter);
    if (matched === 0 || confirmed) {
      this.news.tell(reply, caller, adminNews(matched === 0 ? 'nothing-to-replay' : 'replayed-all'));
      return void (await reply.redirect(back, 303));
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
    const { eventId } = await this.replays.one(id, actorOf(caller));
    this.news.tell(reply, caller, adminNews('replayed'));
    await reply.redirect(addressOf(PATH, { eventId }), 303);
  }

  private form(filters: ReturnType<typeof readFilters>): Html {
    const providers = this.registry.offered().map(({ key, name }) => ({ value: key, label: name }));
    return new FilterFields(filters)
      .select('provider', 'Provider', providers)
      .select('status', 'Status', STATUSES)
      .text('type', 'Type, or its beginning')
      .text('eventId', "Provider's event id, or its beginning")
      .text('connectionId', 'Connection')
      .whose()
      .form(PATH);
  }

  private async resolved(
    { type, eventId, userId, account, from, to, ...rest }: AskedFilter,
    tenant: string | undefined,
  ): Promise<EventFilter> {
    const connectionIds = await this.connections.idsOf(tenant, { userId, account });
    return { ...rest, type: beginning(type), eventId: beginning(eventId), receivedFrom: from, receivedTo: to, connectionIds };
  }
}

function actorOf(caller: SessionPrincipal): ReplayActor {
  return { tenant: visibleTenant(caller), name: `${caller.tenant}/${caller.userId}` };
}

function filled(filter: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(filter).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
