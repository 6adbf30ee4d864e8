import { Controller, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import {
  BrowserNews,
  byTime,
  CurrentUser,
  html,
  IdParam,
  Roles,
  visibleTenant,
  ZodBody,
  type EdgeRequest,
  type SessionPrincipal,
} from '../../http-api';
import { CLOCK, type Clock } from '../../clock';
import { DELIVERY_STATUSES, DeliveryList, OUTBOX_EVENT_TYPES, type Delivery } from '../../integrations';
import { page } from '../layout';
import { liveRegion } from '../live/live-region';
import { FormRoute, PageRoute } from '../page-route.decorators';
import { DELIVERIES_PATH as PATH } from './admin-links';
import { adminNews, adminNotice } from './admin-notices';
import { deliveryFacts, deliveryTable } from './delivery-views';
import { DestinationNames } from './destination-names';
import { ListPages } from './list-pages';
import { cursorOf, filterId, filterOf, filterText, filterTime } from './list-query';
import { Visit, type PageVisit } from './page-visit';

const STATUSES = [
  { value: 'pending', label: 'Waiting' },
  { value: 'sending', label: 'Sending' },
  { value: 'delivered', label: 'Delivered' },
  { value: 'dead', label: 'Given up' },
] as const;
const TYPE_NAMES = [...OUTBOX_EVENT_TYPES, 'destination.test'] as const;
const TYPES = TYPE_NAMES.map((value) => ({ value, label: value }));

const listShape = {
  tenant: filterText,
  destination: filterId,
  status: filterOf(DELIVERY_STATUSES),
  type: filterOf(TYPE_NAMES),
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
    private readonly lists: ListPages,
    private readonly deliveries: DeliveryList,
    private readonly destinations: DestinationNames,
    private readonly news: BrowserNews,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @PageRoute()
  show(@Visit() visit: PageVisit): Promise<string> {
    return this.lists.show(
      {
        title: 'Deliveries',
        path: PATH,
        topic: 'deliveries',
        shape: listShape,
        fields: (form, caller) =>
          form
            .tenant(caller)
            .select('status', 'Status', STATUSES)
            .select('type', 'Type', TYPES)
            .text('destination', 'Destination')
            .text('connection', 'Connection')
            .time(),
        read: ({ cursor: before, destination, connection, tenant, ...asked }, limit, { tenant: own }) => {
          const isOthers = own !== undefined && tenant !== undefined && tenant !== own;
          const filter = { ...asked, tenant: own ?? tenant, destinationId: destination, connectionId: connection, before, limit };
          return isOthers ? Promise.resolve([]) : this.deliveries.list(filter);
        },
        position: ({ createdAt: at, id }: Delivery) => ({ at, id }),
        table: async (rows, { caller }) => deliveryTable(rows, await this.context(caller)),
      },
      visit,
    );
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
