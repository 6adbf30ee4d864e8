import { Controller, Delete, Headers, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { CurrentUser, IdParam, ZodBody, ZodPipe, type Caller } from '../../api';
import { ActionService, ConnectionRepository, toRef } from '../../integrations';
import { STRIPE } from './stripe.facts';
import {
  createSubscriptionBody,
  StripeService,
  subscriptionId,
  type CancelledSubscription,
  type CreateSubscription,
} from './stripe.service';

@Controller('v1/connections/:id/stripe')
export class StripeController {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly actions: ActionService,
    private readonly stripe: StripeService,
  ) {}

  /** A subscription that waits for its first payment; the client secret is for the browser. */
  @Post('subscriptions')
  async createSubscription(
    @CurrentUser() caller: Caller,
    @IdParam() id: string,
    @ZodBody(createSubscriptionBody) body: CreateSubscription,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('idempotency-key') idempotencyKey?: string,
  ): Promise<unknown> {
    const connection = toRef(await this.connections.findUsable(caller, STRIPE, id));
    const done = await this.actions.run({
      caller,
      connection,
      route: 'POST stripe/subscriptions',
      body,
      idempotencyKey,
      execute: async ({ providerKey }) => ({ status: 201, body: await this.stripe.createSubscription(connection, body, providerKey) }),
    });
    if (done.replayed) reply.header('Idempotent-Replayed', 'true');
    reply.status(done.status);
    return done.body;
  }

  /** Cancels at the end of the paid period; asked twice it is the same. */
  @Delete('subscriptions/:subscriptionId')
  async cancelSubscription(
    @CurrentUser() caller: Caller,
    @IdParam() id: string,
    @Param('subscriptionId', new ZodPipe(subscriptionId)) subscription: string,
  ): Promise<CancelledSubscription> {
    const connection = await this.connections.findUsable(caller, STRIPE, id);
    return this.stripe.cancelAtPeriodEnd(toRef(connection), subscription, uuidv7());
  }
}
