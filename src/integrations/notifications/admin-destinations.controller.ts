import { Controller, Delete, Get, HttpCode, Patch, Post } from '@nestjs/common';
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
  ZodBody,
  ZodQuery,
  type Principal,
  byId,
  pageFrom,
  positionOf,
} from '../../http-api';
import { DeliveryList } from './delivery.list';
import { changedDestination, newDestination } from './destination-input';
import { DestinationService } from './destination.service';
import { DestinationTester } from './destination-tester';
import { deliveryDetailAnswer, destinationAnswer, destinationWithSecretAnswer, resentAnswer } from './notification-answers';

const HOUR_MS = 3_600_000;

const rotateBody = z.strictObject({ overlapHours: z.number().int().min(0).max(168).default(24) });
const resendBody = z.strictObject({ since: z.iso.datetime({ offset: true }).optional() });
const listQuery = z.strictObject({ limit, cursor });

/** Where the product is told of what happened. */
@Controller('v1/admin/destinations')
@Roles('admin')
export class AdminDestinationsController {
  constructor(
    private readonly destinations: DestinationService,
    private readonly deliveries: DeliveryList,
    private readonly tester: DestinationTester,
  ) {}

  @Answer(pageOf(destinationAnswer))
  @Get()
  async list(@CurrentUser() caller: Principal, @ZodQuery(listQuery) query: z.infer<typeof listQuery>) {
    const found = await this.destinations.list(visibleTenant(caller), query.limit + 1, positionOf(query.cursor, byId)?.id);
    return pageFrom(found, query.limit, ({ id }) => ({ id }));
  }

  @Answer(destinationWithSecretAnswer, { status: 201 })
  @Post()
  create(@CurrentUser() caller: Principal, @ZodBody(newDestination) body: z.infer<typeof newDestination>) {
    return this.destinations.create(caller, body);
  }

  @Answer(destinationAnswer)
  @Get(':id')
  one(@CurrentUser() caller: Principal, @IdParam('id', 'not_found') id: string) {
    return this.destinations.find(id, visibleTenant(caller));
  }

  @Answer(destinationAnswer)
  @Patch(':id')
  update(
    @CurrentUser() caller: Principal,
    @IdParam('id', 'not_found') id: string,
    @ZodBody(changedDestination) body: z.infer<typeof changedDestination>,
  ) {
    return this.destinations.update(id, visibleTenant(caller), body);
  }

  @Answer(null, { status: 204 })
  @Delete(':id')
  @HttpCode(204)
  remove(@CurrentUser() caller: Principal, @IdParam('id', 'not_found') id: string) {
    return this.destinations.remove(id, visibleTenant(caller));
  }

  @Answer(destinationAnswer)
  @Post(':id/pause')
  @HttpCode(200)
  pause(@CurrentUser() caller: Principal, @IdParam('id', 'not_found') id: string) {
    return this.destinations.pause(id, visibleTenant(caller));
  }

  @Answer(destinationAnswer)
  @Post(':id/resume')
  @HttpCode(200)
  resume(@CurrentUser() caller: Principal, @IdParam('id', 'not_found') id: string) {
    return this.destinations.resume(id, visibleTenant(caller));
  }

  @Answer(destinationWithSecretAnswer)
  @Post(':id/rotate-secret')
  @HttpCode(200)
  rotate(
    @CurrentUser() caller: Principal,
    @IdParam('id', 'not_found') id: string,
    @ZodBody(rotateBody) { overlapHours }: z.infer<typeof rotateBody>,
  ) {
    return this.destinations.rotate(id, visibleTenant(caller), overlapHours * HOUR_MS);
  }

  @Answer(deliveryDetailAnswer)
  @Post(':id/test')
  @HttpCode(200)
  test(@CurrentUser() caller: Principal, @IdParam('id', 'not_found') id: string) {
    return this.tester.test(id, visibleTenant(caller));
  }

  /** Sends again what was given up. */
  @Answer(resentAnswer)
  @Post(':id/resend')
  @HttpCode(200)
  async resend(
    @CurrentUser() caller: Principal,
    @IdParam('id', 'not_found') id: string,
    @ZodBody(resendBody) { since }: z.infer<typeof resendBody>,
  ) {
    const tenant = await this.destinations.ownerOf(id, visibleTenant(caller));
    return { resent: await this.deliveries.resendDead(id, tenant, since) };
  }
}
