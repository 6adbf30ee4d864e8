import { Controller, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import {
  BrowserNews,
  byId,
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
import { DeliveryList, DestinationService, DestinationTester, type Destination } from '../../integrations';
import { page } from '../layout';
import { liveRegion } from '../live/live-region';
import { FormRoute, PageRoute } from '../page-route.decorators';
import { DELIVERIES_PATH, DESTINATIONS_PATH as PATH } from './admin-links';
import { adminNews, adminNotice, type AdminNotice } from './admin-notices';
import { deliveryTable } from './delivery-views';
import { destinationFacts, destinationTable } from './destination-views';
import { ListPages } from './list-pages';
import { cursorOf } from './list-query';
import { Visit, type PageVisit } from './page-visit';

const LATEST_DELIVERIES = 20;
const listShape = { cursor: cursorOf(byId) };
const nothing = z.strictObject({});

/** Where the product is told of what happened, and how that goes. */
@Roles('admin')
@Controller('admin/destinations')
export class DestinationsPageController {
  constructor(
    private readonly lists: ListPages,
    private readonly destinations: DestinationService,
    private readonly deliveries: DeliveryList,
    private readonly tester: DestinationTester,
    private readonly news: BrowserNews,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @PageRoute()
  show(@Visit() visit: PageVisit): Promise<string> {
    return this.lists.show(
      {
        title: 'Destinations',
        path: PATH,
        topic: 'destinations',
        shape: listShape,
        read: ({ cursor }, limit, { tenant }) => this.destinations.list(tenant, limit, cursor?.id),
        position: ({ id }: Destination) => ({ id }),
        above: () => html`<p><a href="${PATH}/new">New destination</a></p>`,
        table: destinationTable,
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
    const tenant = visibleTenant(caller);
    const destination = await this.destinations.find(id, tenant);
    const latest = await this.deliveries.list({ tenant, destinationId: id, limit: LATEST_DELIVERIES });
    const context = { nowMs: this.clock.now(), caller, nameOf: () => destination.name };
    const content = html`${destinationFacts(destination, context)}
      <h2>Deliveries, the newest</h2>
      ${deliveryTable(latest, context)}
      <p><a href="${DELIVERIES_PATH}?destination=${id}">All of this destination</a></p>`;
    const body = html`${adminNotice(this.news.take(request, reply, caller))} ${liveRegion('destination', content, id)}`;
    return page({ title: destination.name, caller, path: PATH, body });
  }

  /** Sends a test now, to a paused destination too, and shows what came of it. */
  @FormRoute(':id/test')
  async test(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam('id', 'not_found') id: string,
    @ZodBody(nothing) _: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const delivery = await this.tester.test(id, visibleTenant(caller));
    await this.goOn(reply, caller, 'tested', `${DELIVERIES_PATH}/${delivery.id}`);
  }

  @FormRoute(':id/pause')
  async pause(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam('id', 'not_found') id: string,
    @ZodBody(nothing) _: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.destinations.pause(id, visibleTenant(caller));
    await this.goOn(reply, caller, 'destination-paused', `${PATH}/${id}`);
  }

  @FormRoute(':id/resume')
  async resume(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam('id', 'not_found') id: string,
    @ZodBody(nothing) _: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.destinations.resume(id, visibleTenant(caller));
    await this.goOn(reply, caller, 'destination-resumed', `${PATH}/${id}`);
  }

  /** What was given up. */
  @FormRoute(':id/resend')
  async resend(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam('id', 'not_found') id: string,
    @ZodBody(nothing) _: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const owner = await this.destinations.ownerOf(id, visibleTenant(caller));
    const resent = await this.deliveries.resendDead(id, owner);
    await this.goOn(reply, caller, resent > 0 ? 'resent-all' : 'nothing-to-resend', `${PATH}/${id}`);
  }

  private async goOn(reply: FastifyReply, caller: SessionPrincipal, notice: AdminNotice, to: string): Promise<void> {
    this.news.tell(reply, caller, adminNews(notice));
    await reply.redirect(to, 303);
  }
}
