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
import { OUTBOX_EVENT_TYPES } from './outbox';
import { DeliveryList } from './delivery.list';
import { DestinationService } from './destination.service';
import { DestinationTester } from './destination-tester';
import { deliveryDetailAnswer, destinationAnswer, destinationWithSecretAnswer, resentAnswer } from './notification-answers';

const HOUR_MS = 3_600_000;

const fields = {
  name: z.string().trim().min(1).max(200),
  url: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).max(2_000),
  events: z.array(z.enum(OUTBOX_EVENT_TYPES)).min(1).max(OUTBOX_EVENT_TYPES.length),
  webhookTypes: z
    .array(
      z
        .string()
        .max(512)
        .regex(/^[^*\s/]+\/[^*\s]*\*?$|^\*$/, 'must be provider/type, or a beginning that ends with *, e.g. acme/invoice.*'),
    )
    .max(100),
  match: z
    .record(
      z
        .string()
        .max(200)
        .regex(/^(type|tenant|data(\.[^.\s]+)+)$/, 'must be type, tenant or a path below data, e.g. data.provider'),
      z
        .array(z.union([z.string().max(512), z.number(), z.boolean(), z.null()]))
        .min(1)
        .max(100),
    )
    .refine((match) => Object.keys(match).length <= 20, 'at most 20 paths')
    .nullable(),
};
const createBody = z.strictObject({
  ...fields,
  name: fields.name.default('Webhook'),
  webhookTypes: fields.webhookTypes.default([]),
  match: fields.match.default(null),
  scope: z.enum(['tenant', 'all']).default('tenant'),
  ordered: z.boolean().default(false),
});
const updateBody = z
  .strictObject({
    name: fields.name.optional(),
    url: fields.url.optional(),
    events: fields.events.optional(),
    webhookTypes: fields.webhookTypes.optional(),
    match: fields.match.optional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'name at least one field');
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
  create(@CurrentUser() caller: Principal, @ZodBody(createBody) body: z.infer<typeof createBody>) {
    return this.destinations.create(caller, body);
  }

  @Answer(destinationAnswer)
  @Get(':id')
  one(@CurrentUser() caller: Principal, @IdParam('id', 'not_found') id: string) {
    return this.destinations.find(id, visibleTenant(caller));
  }

  @Answer(destinationAnswer)
  @Patch(':id')
  update(@CurrentUser() caller: Principal, @IdParam('id', 'not_found') id: string, @ZodBody(updateBody) body: z.infer<typeof updateBody>) {
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
