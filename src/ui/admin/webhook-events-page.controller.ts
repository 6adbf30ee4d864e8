import { Controller, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import {
  BrowserNews,
  CurrentUser,
  type EdgeRequest,
  html,
  IdParam,
  Roles,
  visibleTenant,
  ZodBody,
  ZodQuery,
  type SessionPrincipal,
  byId,
  pageFrom,
  positionOf,
} from '../../http-api';
import { CLOCK, type Clock } from '../../clock';
import { ProviderRegistry, WebhookEventList, WebhookReplay, type ReplayActor } from '../../integrations';
import { confirmPage } from '../confirm-page';
import { actionForm, filterForm, select, textField } from '../form';
import { page } from '../layout';
import { FormRoute, PageRoute } from '../page-route.decorators';
import { addressOf, nextPage } from '../table';
import { adminNews, adminNotice } from './admin-notices';
import { filterId, filterOf, filterText, PAGE_ROWS, pageFields } from './list-query';
import { eventFacts, eventTable, EVENTS_PATH as PATH } from './webhook-event-views';

const STATUSES = [
  { value: 'received', label: 'Received' },
  { value: 'processing', label: 'Processing' },
  { value: 'completed', label: 'Completed' },
  { value: 'failed', label: 'Failed' },
  { value: 'dead', label: 'Dead' },
] as const;

const filters = {
  provider: filterText,
  type: filterText,
  status: filterOf(STATUSES.map(({ value }) => value)),
  eventId: filterText,
  connectionId: filterId,
};
const query = z.strictObject({ ...filters, ...pageFields });
const replayForm = z.strictObject({ ...filters, confirmed: z.literal('yes').optional() });
const nothing = z.strictObject({});

/** What came in, what became of it, and again. */
@Roles('admin')
@Controller('admin/webhook-events')
export class WebhookEventsPageController {
  constructor(
    private readonly events: WebhookEventList,
    private readonly replays: WebhookReplay,
    private readonly registry: ProviderRegistry,
    private readonly news: BrowserNews,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @PageRoute()
  async show(
    @CurrentUser() caller: SessionPrincipal,
    @ZodQuery(query) { cursor, ...filter }: z.infer<typeof query>,
    @Req() request: EdgeRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const found = await this.events.list({ ...filter, tenant: visibleTenant(caller) }, PAGE_ROWS + 1, positionOf(cursor, byId));
    const { data: events, nextCursor } = pageFrom(found, PAGE_ROWS, ({ id }) => ({ id }));
    const providers = this.registry.offered().map(({ key, name }) => ({ value: key, label: name }));
    const fields = [
      select('provider', 'Provider', providers, filter.provider),
      select('status', 'Status', STATUSES, filter.status),
      textField('type', 'Type', filter.type),
      textField('eventId', "Provider's event id", filter.eventId),
    ];
    const { csrfToken } = caller;
    const replayAll = actionForm({
      to: `${PATH}/replay`,
      label: 'Replay all that match…',
      csrfToken,
      id: 'replay-all',
      fields: given(filter),
    });
    const body = html`${adminNotice(this.news.take(request, reply, caller))} ${filterForm(PATH, fields)}
    ${eventTable(events, { nowMs: this.clock.now(), csrfToken })} ${nextPage(PATH, filter, nextCursor)}
    ${events.length > 0 && html`<div class="actions">${replayAll}</div>`}`;
    return page({ title: 'Webhook events', caller, path: PATH, body });
  }

  @PageRoute(':id')
  async one(@CurrentUser() caller: SessionPrincipal, @IdParam('id', 'not_found') id: string): Promise<string> {
    const event = await this.events.find(id, visibleTenant(caller));
    return page({
      title: 'Webhook event',
      caller,
      path: PATH,
      body: eventFacts(event, { nowMs: this.clock.now(), csrfToken: caller.csrfToken }),
    });
  }

  /** First how many it would be, then, when that is confirmed, all of them. */
  @FormRoute('replay')
  async replayAll(
    @CurrentUser() caller: SessionPrincipal,
    @ZodBody(replayForm) { confirmed, ...filter }: z.infer<typeof replayForm>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { matched } = await this.replays.many(filter, actorOf(caller), confirmed === undefined);
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
        fields: given(filter),
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
}

function actorOf(caller: SessionPrincipal): ReplayActor {
  return { tenant: visibleTenant(caller), name: `${caller.tenant}/${caller.userId}` };
}

function given(filter: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(filter).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
