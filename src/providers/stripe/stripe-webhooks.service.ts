import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationError } from '../../errors';
import {
  verifyStripeSignature,
  withoutMember,
  type ParsedDelivery,
  type RawDelivery,
  type Verdict,
  type WebhookFacts,
} from '../../integrations';
import { stripeSettings } from './stripe.settings';

const id = z.string().min(1).max(255);

/** https://docs.stripe.com/api/events/object */
const eventBody = z.object({
  id: id.startsWith('evt_'),
  object: z.literal('event'),
  type: z.string().regex(/^[a-z0-9_.]{1,100}$/),
  created: z.number(),
  account: id.optional(),
  data: z.object({ object: z.object({ id: id.optional(), object: z.string().max(100).optional() }) }),
});

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
    return verifyStripeSignature(delivery, this.secrets);
  }

  parse(delivery: RawDelivery): ParsedDelivery {
    const { id: eventId, type, created, account, data } = readEvent(delivery.body);
    const subject = data.object;
    return {
      // Payments carry the secret with which a browser may finish them.
      stored: withoutMember(delivery.body, 'client_secret'),
      events: [
        {
          eventId,
          type,
          // Without one it is about the platform's own account, which no connection may claim.
          ...(account === undefined ? {} : { routingKey: account }),
          ...(subject.id && subject.object ? { objectKey: `${subject.object}/${subject.id}`, objectVersion: created * 1000 } : {}),
        },
      ],
    };
  }
}

function readEvent(bytes: Buffer): z.infer<typeof eventBody> {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new IntegrationError('invalid_request', { cause });
  }
  const parsed = eventBody.safeParse(json);
  if (!parsed.success) throw new IntegrationError('invalid_request', { detail: 'This is not an event of Stripe.', cause: parsed.error });
  return parsed.data;
}
