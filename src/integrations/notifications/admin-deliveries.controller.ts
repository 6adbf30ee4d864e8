import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { z } from 'zod';
import {
  Answer,
  pageOf,
  CurrentUser,
  cursor,
  IdParam,
  limit,
  Roles,
  visibleTenant,
  ZodQuery,
  type Principal,
  SupportMayRead,
  byTime,
  pageFrom,
  positionOf,
} from '../../http-api';
import { DELIVERY_STATUSES } from './delivery.entity';
import { DeliveryList } from './delivery.list';
import { deliveryAnswer, deliveryDetailAnswer } from './notification-answers';

const listQuery = z.strictObject({
  destination: z.guid().optional(),
  status: z.enum(DELIVERY_STATUSES).optional(),
  type: z.string().max(64).optional(),
  connection: z.guid().optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
  limit,
  cursor,
});

/** What was sent, what came of it, and again. */
@Controller('v1/admin/deliveries')
@SupportMayRead()
@Roles('admin')
export class AdminDeliveriesController {
  constructor(private readonly deliveries: DeliveryList) {}

  @Answer(pageOf(deliveryAnswer))
  @Get()
  async list(@CurrentUser() caller: Principal, @ZodQuery(listQuery) query: z.infer<typeof listQuery>) {
    const { destination, status, type, connection, from, to, limit: most } = query;
    const before = positionOf(query.cursor, byTime);
    const found = await this.deliveries.list({
      tenant: visibleTenant(caller),
      destinationId: destination,
      status,
      type,
      connectionId: connection,
      from,
      to,
      before,
      limit: most + 1,
    });
    return pageFrom(found, most, ({ createdAt: at, id }) => ({ at, id }));
  }

  @Answer(deliveryDetailAnswer)
  @Get(':id')
  one(@CurrentUser() caller: Principal, @IdParam('id', 'not_found') id: string) {
    return this.deliveries.find(id, visibleTenant(caller));
  }

  @Answer(deliveryDetailAnswer)
  @Post(':id/resend')
  @HttpCode(200)
  resend(@CurrentUser() caller: Principal, @IdParam('id', 'not_found') id: string) {
    return this.deliveries.resend(id, visibleTenant(caller));
  }
}
