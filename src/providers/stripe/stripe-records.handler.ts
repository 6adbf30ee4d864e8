import { Inject, Injectable } from '@nestjs/common';
import type Stripe from 'stripe';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import {
  OnWebhook,
  type ConnectionRef,
  type Fetch,
  type HandlerContext,
  type SyncRecord,
  type WebhookEvent,
  type WebhookHandler,
} from '../../integrations';
import { stripeClient } from './stripe.client';
import { STRIPE, STRIPE_API_BASE_URL } from './stripe.facts';
import { currentRecord, STRIPE_RESOURCES } from './stripe.resources';
import { stripeSettings } from './stripe.settings';

interface Prepared {
  readonly resource: string;
  readonly record: SyncRecord;
}

/** A whole event holds its object as it was, a thin one names it only. */
type StripePayload =
  Stripe.Event | { readonly object: 'v2.core.event'; readonly livemode?: boolean; readonly related_object?: { id: string } };

/** Types of whole events, and of their thin twins. */
const TYPES = STRIPE_RESOURCES.flatMap(({ eventTypes }) => [...eventTypes, ...eventTypes.map((type) => `v1.${type}`)]);

/** Real time: the object of an event is read anew, as events come in any order and say how it was, not how it is. */
@Injectable()
@OnWebhook({ provider: STRIPE, types: TYPES })
export class StripeRecordsHandler implements WebhookHandler<StripePayload, Prepared | undefined> {
  private readonly apiBaseUrl: string;

  constructor(@Inject(SETTINGS) settings: Settings) {
    this.apiBaseUrl = providerSettings(settings, stripeSettings).apiBaseUrl ?? STRIPE_API_BASE_URL;
  }

  async prepare(
    { payload, type }: WebhookEvent<StripePayload>,
    { connection, fetch }: { connection: ConnectionRef; fetch: Fetch; signal: AbortSignal },
  ): Promise<Prepared | undefined> {
    const resource = STRIPE_RESOURCES.find(({ eventTypes }) => eventTypes.includes(type.replace(/^v1\./, '')));
    const id = payload.object === 'v2.core.event' ? payload.related_object?.id : (payload.data.object as { id?: string }).id;
    // An upcoming invoice has no id; an event of the other mode is not about what is connected.
    if (!resource || !id || isOtherMode(payload, connection)) return undefined;
    return { resource: resource.name, record: await currentRecord(stripeClient(fetch, this.apiBaseUrl), resource, id) };
  }

  async handle(_event: WebhookEvent<StripePayload>, context: HandlerContext, prepared: Prepared | undefined): Promise<void> {
    if (context.connection && prepared) await context.applyRecords(prepared.resource, [prepared.record]);
  }
}

function isOtherMode(event: StripePayload, connection: ConnectionRef): boolean {
  const mode = connection.metadata['livemode'];
  return typeof mode === 'boolean' && event.livemode !== undefined && mode !== event.livemode;
}
