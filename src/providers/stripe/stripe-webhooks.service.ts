import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationError } from '../../errors';
import {
  verifySigned,
  withoutMember,
  type IncomingEvent,
  type ParsedDelivery,
  type RawDelivery,
  type Verdict,
  type WebhookFacts,
} from '../../integrations';
import { STRIPE_SIGNATURE } from './stripe.facts';
import { accountIn } from './stripe.modes';
import { stripeSettings } from './stripe.settings';

const id = z.string().min(1).max(255);
const type = z.string().regex(/^[a-z0-9_.]{1,150}$/);

/** https://docs.stripe.com/api/events/object */
const snapshotEvent = z.object({
  id: id.startsWith('evt_'),
  object: z.literal('event'),
  type,
  created: z.number(),
  livemode: z.boolean().optional(),
  account: id.optional(),
  data: z.object({ object: z.object({ id: id.optional(), object: z.string().max(100).optional() }) }),
});

/** Names its object and does not hold it; `context` is the account, or a path that ends with it: https://docs.stripe.com/api/v2/core/events */
const thinEvent = z.object({
  id: id.startsWith('evt_'),
  object: z.literal('v2.core.event'),
  type,
  created: z.iso.datetime({ offset: true }),
  livemode: z.boolean().optional(),
  context: z.string().max(500).nullish(),
  related_object: z.object({ id, type: z.string().max(100) }).nullish(),
});

const stripeEvent = z.discriminatedUnion('object', [snapshotEvent, thinEvent]);

/** Events of the platform's endpoint; those of connected accounts name theirs. */
@Injectable()
export class StripeWebhooksService implements WebhookFacts {
  readonly configured: boolean;
  private readonly secrets: readonly string[];

  constructor(@Inject(SETTINGS) settings: Settings) {
    this.secrets = providerSettings(settings, stripeSettings).webhookSecrets;
    this.configured = this.secrets.length > 0;
  }

  verify(delivery: RawDelivery): Verdict {
    return verifySigned(delivery, this.secrets, STRIPE_SIGNATURE);
  }

  parse(delivery: RawDelivery): ParsedDelivery {
    const event = readEvent(delivery.body);
    // Payments carry the secret with which a browser may finish them.
    return {
      stored: withoutMember(delivery.body, 'client_secret'),
      events: [event.object === 'event' ? ofSnapshot(event) : ofThin(event)],
    };
  }
}

function ofSnapshot({ id: eventId, type, created, ...event }: z.infer<typeof snapshotEvent>): IncomingEvent {
  const subject = event.data.object;
  return {
    eventId,
    type,
    ...routed(event.account, event.livemode),
    ...(subject.id && subject.object ? { objectKey: `${subject.object}/${subject.id}`, objectVersion: created * 1000 } : {}),
  };
}

/** The type stays as Stripe writes it: `v1.customer.updated` is the thin twin of `customer.updated`. */
function ofThin({ id: eventId, type, created, livemode, context, related_object: subject }: z.infer<typeof thinEvent>): IncomingEvent {
  return {
    eventId,
    type,
    ...routed(context?.split('/').at(-1), livemode),
    ...(subject ? { objectKey: `${subject.type}/${subject.id}`, objectVersion: Date.parse(created) } : {}),
  };
}

/**
 * Without an account it is about the platform's own, which no connection may claim; without a mode nobody can say whose it is: what happens in test
 * mode must not reach the live account, nor the other way round.
 */
function routed(account: string | undefined, livemode: boolean | undefined): Pick<IncomingEvent, 'routingKey'> {
  return account && livemode !== undefined ? { routingKey: accountIn(account, livemode) } : {};
}

function readEvent(bytes: Buffer): z.infer<typeof stripeEvent> {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new IntegrationError('invalid_request', { cause });
  }
  const parsed = stripeEvent.safeParse(json);
  if (!parsed.success) throw new IntegrationError('invalid_request', { detail: 'This is not an event of Stripe.', cause: parsed.error });
  return parsed.data;
}
