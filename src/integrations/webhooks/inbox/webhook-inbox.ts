import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { Counter } from 'prom-client';
import { IntegrationError } from '../../../errors';
import type { IncomingEvent, Provider, RawDelivery, RefusalCause } from '../../contract';
import { ProviderRegistry } from '../../providers';
import { InboxWriter } from './inbox-writer';
import { RefusalCounter } from './refusal-counter';
import { safeHeaders } from './safe-headers';
import { acceptedDeliveries } from '../webhook-metrics';

/** The answer to a delivery that was taken. */
export interface InboxAnswer {
  readonly status: 200;
  readonly body?: string;
  readonly contentType?: string;
}

/** Longer than any provider's; an index entry must stay small. */
const MAX_CHARS = 512;
const MAX_EVENTS = 500;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The way in: verified over the raw bytes, read, stored, and only then answered. */
@Injectable()
export class WebhookInbox implements OnApplicationBootstrap {
  private readonly logger = new Logger('webhooks');
  private readonly counters = new Map<string, Counter.Internal>();

  constructor(
    private readonly registry: ProviderRegistry,
    private readonly writer: InboxWriter,
    private readonly refusals: RefusalCounter,
  ) {}

  onApplicationBootstrap(): void {
    const silent = this.registry.all().filter(({ webhooks }) => webhooks && !webhooks.configured);
    for (const { name, key } of silent)
      this.logger.warn(`${name} has nothing to verify its webhooks with: every delivery to /webhooks/${key} is refused.`);
  }

  /**
   * @throws IntegrationError `provider_unknown`; `signature_invalid` (the cause is counted, never told); `invalid_request`;
   * `storage_unavailable`, `busy` or `provider_unavailable`, all with a time to come back
   */
  async receive(providerKey: string, delivery: RawDelivery): Promise<InboxAnswer> {
    const provider = this.registry.find(providerKey);
    const webhooks = provider?.webhooks;
    if (!provider || !webhooks) throw new IntegrationError('provider_unknown');
    const encoding = delivery.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      throw new IntegrationError('unsupported_media_type', {
        detail: 'Compressed bodies are not taken.',
        nextStep: 'Send the body without Content-Encoding.',
      });
    }
    if (!webhooks.configured) throw this.refuse(provider, 'no_secret');
    // Most schemes answer at once: who waits for them makes the others wait as well.
    const given = webhooks.verify(delivery);
    const verdict = given instanceof Promise ? await given : given;
    if (!verdict.ok) throw this.refuse(provider, verdict.cause);
    const { tenant } = verdict;
    const { events, reply, stored } = webhooks.parse(delivery);
    checkEvents(events);
    if (events.length > 0) {
      const common = { provider: provider.key, tenant, headers: safeHeaders(delivery.headers), body: stored ?? delivery.body };
      await this.writer.store(events.map((event) => ({ ...common, event })));
    }
    this.accepted(provider.key).inc();
    return { status: 200, body: reply?.body, contentType: reply?.contentType };
  }

  /** Looked up once: to find a counter by its labels costs more than to count. */
  private accepted(provider: string): Counter.Internal {
    let counter = this.counters.get(provider);
    if (!counter) this.counters.set(provider, (counter = acceptedDeliveries.labels(provider)));
    return counter;
  }

  private refuse(provider: Provider, cause: RefusalCause): IntegrationError {
    this.refusals.add(provider.key, cause);
    return new IntegrationError('signature_invalid');
  }
}

/** What a verified sender may still get wrong must not reach the database. */
function checkEvents(events: readonly IncomingEvent[]): void {
  if (events.length > MAX_EVENTS || !events.every(canBeKept)) {
    throw new IntegrationError('invalid_request', { detail: 'This is not an event that can be kept.' });
  }
}

function canBeKept({ eventId, type, routingKey, objectKey, connectionId }: IncomingEvent): boolean {
  return (
    isShortText(eventId) &&
    isShortText(type) &&
    (routingKey === undefined || isShortText(routingKey)) &&
    (objectKey === undefined || isShortText(objectKey)) &&
    (connectionId === undefined || UUID.test(connectionId))
  );
}

function isShortText(text: string): boolean {
  return text.length > 0 && text.length <= MAX_CHARS && !text.includes('\0');
}
