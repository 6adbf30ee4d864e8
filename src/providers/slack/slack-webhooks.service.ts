import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationError } from '../../errors';
import { verifySigned, withoutMember, type ParsedDelivery, type RawDelivery, type Verdict, type WebhookFacts } from '../../integrations';
import { eventCallback, id, incomingEvents, type EventCallback } from './slack-events';
import { SLACK_SIGNATURE } from './slack.facts';
import { formOf, isCertificateCheck, readInteraction } from './slack.interactions';
import { slackSettings } from './slack.settings';

const envelope = z.discriminatedUnion('type', [
  z.object({ type: z.literal('url_verification'), challenge: z.string().min(1).max(1000) }),
  z.object({ type: z.literal('app_rate_limited'), team_id: id, minute_rate_limited: z.number() }),
  eventCallback,
]);

/** Slack's Events API. */
@Injectable()
export class SlackWebhooksService implements WebhookFacts {
  readonly configured: boolean;
  private readonly secrets: readonly string[];
  /** Whether Slack can be asked who else may see an event. */
  private readonly asks: boolean;

  constructor(@Inject(SETTINGS) settings: Settings) {
    const { webhookSecrets, appToken } = providerSettings(settings, slackSettings);
    this.secrets = webhookSecrets;
    this.asks = appToken !== undefined;
    this.configured = this.secrets.length > 0;
  }

  verify(delivery: RawDelivery): Verdict {
    // Sent without a signature, as a look at our certificate; it is answered and nothing is done with it.
    if (isCertificateCheck(delivery)) return { ok: true };
    return verifySigned(delivery, this.secrets, SLACK_SIGNATURE);
  }

  parse(delivery: RawDelivery): ParsedDelivery {
    const form = formOf(delivery);
    if (form) return isCertificateCheck(delivery) ? { events: [] } : readInteraction(delivery, form);
    const body = readEnvelope(delivery.body);
    switch (body.type) {
      case 'url_verification':
        return { events: [], reply: { body: body.challenge, contentType: 'text/plain; charset=utf-8' } };
      case 'app_rate_limited':
        return {
          events: [{ eventId: `app_rate_limited:${body.team_id}:${body.minute_rate_limited}`, type: body.type, routingKey: body.team_id }],
          stored: withoutMember(delivery.body, 'token'),
        };
      case 'event_callback':
        // What we said ourselves comes back as an event: handling it would make echoes.
        // The envelope's `token` is Slack's older proof of origin, still a secret of the app.
        return { events: isOwnMessage(body) ? [] : incomingEvents(body, this.asks), stored: withoutMember(delivery.body, 'token') };
    }
  }
}

function readEnvelope(bytes: Buffer): z.infer<typeof envelope> {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new IntegrationError('invalid_request', { cause });
  }
  const parsed = envelope.safeParse(json);
  if (!parsed.success) throw new IntegrationError('invalid_request', { detail: 'This is not an event of Slack.', cause: parsed.error });
  return parsed.data;
}

function isOwnMessage({ api_app_id: ownApp, event }: EventCallback): boolean {
  if (event.type !== 'message' || ownApp === undefined) return false;
  return [event, event.message, event.previous_message].some((each) => each?.app_id === ownApp || each?.bot_profile?.app_id === ownApp);
}
