import { Controller, Delete, Headers, Param, Post, UseInterceptors } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { CurrentUser, IdParam, ZodBody, ZodPipe, type Principal } from '../../http-api';
import { ActionReplyInterceptor, ActionService, ConnectionRepository, toRef, type ActionResult } from '../../integrations';
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
  @UseInterceptors(ActionReplyInterceptor)
  async createSubscription(
    @CurrentUser() caller: Principal,
    @IdParam() id: string,
    @ZodBody(createSubscriptionBody) body: CreateSubscription,
    @Headers('idempotency-key') idempotencyKey?: string,
  ): Promise<ActionResult> {
    const connection = toRef(await this.connections.findUsable(caller, STRIPE, id));
    return this.actions.run({
      caller,
      connection,
      route: 'POST stripe/subscriptions',
      body,
      idempotencyKey,
      execute: async ({ providerKey }) => ({ status: 201, body: await this.stripe.createSubscription(connection, body, providerKey) }),
    });
  }

  /** Cancels at the end of the paid period; asked twice it is the same. */
  @Delete('subscriptions/:subscriptionId')
  async cancelSubscription(
    @CurrentUser() caller: Principal,
    @IdParam() id: string,
    @Param('subscriptionId', new ZodPipe(subscriptionId)) subscription: string,
  ): Promise<CancelledSubscription> {
    const connection = await this.connections.findUsable(caller, STRIPE, id);
    return this.stripe.cancelAtPeriodEnd(toRef(connection), subscription, uuidv7());
  }
}
