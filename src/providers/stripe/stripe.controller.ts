import { Controller, Delete, Headers, Param, Post, UseInterceptors } from '@nestjs/common';
import { RunsOperation, CurrentUser, IdParam, ZodBody, ZodPipe, type Principal } from '../../http-api';
import { OperationReplyInterceptor, OperationService, type OperationResult } from '../../integrations';
import { StripeOperations } from './stripe.operations';
import { createSubscriptionBody, subscriptionId, type CreateSubscription } from './stripe.service';

/** Doors of their own to Stripe's operations. */
@UseInterceptors(OperationReplyInterceptor)
@Controller('v1/connections/:id/stripe')
export class StripeController {
  constructor(
    private readonly operations: OperationService,
    private readonly stripe: StripeOperations,
  ) {}

  /** A subscription that waits for its first payment; the client secret is for the browser. */
  @RunsOperation('stripe.subscriptions.create')
  @Post('subscriptions')
  createSubscription(
    @CurrentUser() caller: Principal,
    @IdParam() connectionId: string,
    @ZodBody(createSubscriptionBody) body: CreateSubscription,
    @Headers('idempotency-key') idempotencyKey?: string,
  ): Promise<OperationResult> {
    return this.operations.run(this.stripe.createSubscription, body, { caller, connectionId, idempotencyKey });
  }

  /** Cancels at the end of the paid period; asked twice it is the same. */
  @RunsOperation('stripe.subscriptions.cancel')
  @Delete('subscriptions/:subscriptionId')
  cancelSubscription(
    @CurrentUser() caller: Principal,
    @IdParam() connectionId: string,
    @Param('subscriptionId', new ZodPipe(subscriptionId)) subscription: string,
    @Headers('idempotency-key') idempotencyKey?: string,
  ): Promise<OperationResult> {
    return this.operations.run(this.stripe.cancelSubscription, { subscriptionId: subscription }, { caller, connectionId, idempotencyKey });
  }
}
