import { Controller, Inject, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import {
  BrowserNews,
  byTime,
  CurrentUser,
  html,
  IdParam,
  pageFrom,
  Roles,
  visibleTenant,
  ZodBody,
  type EdgeRequest,
  type SessionPrincipal,
} from '../../http-api';
import { CLOCK, type Clock } from '../../clock';
import { DELIVERY_STATUSES, DeliveryList, OUTBOX_EVENT_TYPES } from '../../integrations';
import { page } from '../layout';
import { liveRegion } from '../live/live-region';
import { FormRoute, PageRoute } from '../page-route.decorators';
import { nextPage } from '../table';
import { DELIVERIES_PATH as PATH } from './admin-links';
import { adminNews, adminNotice } from './admin-notices';
import { deliveryFacts, deliveryTable } from './delivery-views';
import { DestinationNames } from './destination-names';
import { FilterFields } from './filter-fields';
import { cursorOf, filterId, filterOf, filterText, filterTime, PAGE_ROWS, readFilters, withoutCursor } from './list-query';

const STATUSES = [
  { value: 'pending', label: 'Waiting' },
  { value: 'sending', label: 'Sending' },
  { value: 'delivered', label: 'Delivered' },
  { value: 'dead', label: 'Given up' },
] as const;
const TYPES = [...OUTBOX_EVENT_TYPES, 'destination.test'] as const;

const listShape = {
  tenant: filterText,
  destination: filterId,
  status: filterOf(DELIVERY_STATUSES),
  type: filterOf(TYPES),
  connection: filterId,
  from: filterTime,
  to: filterTime,
  cursor: cursorOf(byTime),
};
const nothing = z.strictObject({});

/** What the product was told, or is to be told: each event on its way to each destination. */
@Roles('admin')
@Controller('admin/deliveries')
export class DeliveriesPageController {
  constructor(
    private readonly deliveries: DeliveryList,
    private readonly destinations: DestinationNames,
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
    const fields = new FilterFields(filters);
    if (caller.role === 'operator') fields.text('tenant', 'Organization');
    const form = fields
      .select('status', 'Status', STATUSES)
      .select(
        'type',
        'Type',
        TYPES.map((value) => ({ value, label: value })),
      )
      .text('destination', 'Destination')
      .text('connection', 'Connection')
      .time()
      .form(PATH);
    const top = html`${adminNotice(this.news.take(request, reply, caller))} ${form}`;
    if (!filters.values) {
      void reply.status(400);
      return page({ title: 'Deliveries', caller, path: PATH, body: top });
    }
    const { cursor, destination, connection, tenant, ...asked } = filters.values;
    const own = visibleTenant(caller);
    const isOthers = own !== undefined && tenant !== undefined && tenant !== own;
    const filter = { ...asked, tenant: own ?? tenant, destinationId: destination, connectionId: connection, before: cursor };
    const found = isOthers ? [] : await this.deliveries.list({ ...filter, limit: PAGE_ROWS + 1 });
    const { data, nextCursor } = pageFrom(found, PAGE_ROWS, ({ createdAt: at, id }) => ({ at, id }));
    const body = html`${top} ${liveRegion('deliveries', deliveryTable(data, await this.context(caller)))}
    ${nextPage(PATH, withoutCursor(filters), nextCursor)}`;
    return page({ title: 'Deliveries', caller, path: PATH, body });
  }

  @PageRoute(':id')
  async one(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam('id', 'not_found') id: string,
    @Req() request: EdgeRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const delivery = await this.deliveries.find(id, visibleTenant(caller));
    const notice = adminNotice(this.news.take(request, reply, caller));
    const body = html`${notice} ${liveRegion('delivery', deliveryFacts(delivery, await this.context(caller)), id)}`;
    return page({ title: 'Delivery', caller, path: PATH, body });
  }

  @FormRoute(':id/resend')
  async resend(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam('id', 'not_found') id: string,
    @ZodBody(nothing) _: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.deliveries.resend(id, visibleTenant(caller));
    this.news.tell(reply, caller, adminNews('resent'));
    await reply.redirect(`${PATH}/${id}`, 303);
  }

  private async context(caller: SessionPrincipal) {
    return { nowMs: this.clock.now(), caller, nameOf: await this.destinations.for(visibleTenant(caller)) };
  }
}
