import { createHmac } from 'node:crypto';
import { secretText } from '../random';
import type { SandboxContext } from '../sandbox-context';
import type { Json } from '../sandbox.types';
import type { Delivery } from '../webhook-sender';
import { API_VERSION } from './stripe.objects';
import { put, type StripeAccount, type StripeObject, type StripeState } from './stripe.state';

export type Forgery = 'bad-signature' | 'no-signature' | 'old-timestamp' | 'future-timestamp' | 'altered-body';

export interface Cause {
  requestId: string | null;
  idempotencyKey: string | null;
}

/** https://docs.stripe.com/webhooks#verify-manually */
export function stripeSignature(secret: string, body: string, nowMs: number, forge?: Forgery): string {
  const shiftS = forge === 'old-timestamp' ? -301 : forge === 'future-timestamp' ? 301 : 0;
  const timestamp = Math.floor(nowMs / 1000) + shiftS;
  const key = forge === 'bad-signature' ? `${secret}x` : secret;
  return `t=${timestamp},v1=${createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex')}`;
}

/** Records events and sends them. */
export class StripeEvents {
  constructor(
    private readonly context: SandboxContext,
    private readonly state: StripeState,
    private readonly isWatched: (accountId: string) => boolean,
  ) {}

  emit(account: StripeAccount, type: string, object: Json, cause: Cause, previous?: Json): void {
    const event = this.event(account, type, structuredClone(object), cause, previous);
    put(account.collections.events, event);
    if (this.isWatched(account.id)) this.context.sender.enqueue(this.delivery(account, event));
  }

  event(
    account: StripeAccount,
    type: string,
    object: Json,
    cause: Cause = { requestId: null, idempotencyKey: null },
    previous?: Json,
  ): StripeObject {
    return {
      id: `evt_1${secretText(23)}`,
      object: 'event',
      ...(account.id === this.state.platformId ? {} : { account: account.id }),
      api_version: API_VERSION,
      created: Math.floor(this.context.now() / 1000),
      data: { object, ...(previous ? { previous_attributes: previous } : {}) },
      livemode: false,
      pending_webhooks: 1,
      request: { id: cause.requestId, idempotency_key: cause.idempotencyKey },
      type,
    };
  }

  /** Says that something happened and to what, not what it is now: https://docs.stripe.com/event-destinations#events-overview */
  thin(account: StripeAccount, type: string, object?: Json): Json & { id: string } {
    const { id, object: kind } = object ?? {};
    return {
      id: `evt_test_${secretText(24)}`,
      object: 'v2.core.event',
      ...(account.id === this.state.platformId ? {} : { context: account.id }),
      created: new Date(this.context.now()).toISOString(),
      livemode: false,
      reason: null,
      related_object: object ? { id, type: kind, url: `/v1/${String(kind)}s/${String(id)}` } : null,
      type,
    };
  }

  /** Sends even for an account that is no longer connected. */
  deauthorized(account: StripeAccount): void {
    const application = { id: this.context.secrets.clientId, object: 'application', name: 'Trestle' };
    this.context.sender.enqueue(this.delivery(account, this.event(account, 'account.application.deauthorized', application)));
  }

  delivery(account: StripeAccount, event: Json & { id: string }, forge?: Forgery): Delivery {
    const payload = JSON.stringify(event, null, 2);
    return {
      provider: 'stripe',
      eventId: event.id,
      type: String(event['type']),
      account: account.id,
      ...(forge ? { forged: forge } : {}),
      path: '/webhooks/stripe',
      build: () => ({
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
          ...(forge === 'no-signature'
            ? {}
            : { 'stripe-signature': stripeSignature(this.context.secrets.webhookSecret, payload, this.context.now(), forge) }),
        },
        body: forge === 'altered-body' ? payload.replace('"livemode": false', '"livemode": true ') : payload,
      }),
    };
  }
}
