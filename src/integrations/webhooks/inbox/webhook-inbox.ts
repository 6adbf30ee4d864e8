import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { Counter } from 'prom-client';
import { IntegrationError } from '../../../errors';
import type { IncomingEvent, ParsedDelivery, Provider, RawDelivery, RefusalCause, WebhookFacts } from '../../contract';
import { ProviderRegistry } from '../../providers';
import { ImmediateAnswers } from './immediate-answers';
import { InboxWriter } from './inbox-writer';
import { RefusalCounter } from './refusal-counter';
import { safeHeaders } from './safe-headers';
import { StoredPayload } from '../stored-payload';
import { acceptedDeliveries } from '../webhook-metrics';

/** The answer to a delivery that was taken. */
export interface InboxAnswer {
  readonly status: 200;
  readonly body?: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Longer than any provider's; an index entry must stay small. */
const MAX_CHARS = 512;
/** Type of what a verified sender sent and nobody could read. */
const UNREADABLE = 'unreadable';
const NOTHING = Buffer.alloc(0);
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
    private readonly answers: ImmediateAnswers,
  ) {}

  onApplicationBootstrap(): void {
    const silent = this.registry.offered().filter(({ webhooks }) => webhooks && !webhooks.configured);
    for (const { name, key } of silent)
      this.logger.warn(`${name} has nothing to verify its webhooks with: every delivery to /webhooks/${key} is refused.`);
  }

  /**
   * @throws IntegrationError `provider_unknown`; `signature_invalid` (the cause is counted, never told); `payload_too_large` for what can
   * never be stored; `storage_unavailable`, `busy` or `provider_unavailable`, all with a time to come back
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
    const asked = webhooks.challenge?.(delivery);
    if (asked) return { status: 200, ...asked };
    if (delivery.method === 'GET') throw new IntegrationError('not_found');
    if (!webhooks.configured) throw this.refuse(provider, 'no_secret');
    // Most schemes answer at once: who waits for them makes the others wait as well.
    const given = webhooks.verify(delivery);
    const verdict = given instanceof Promise ? await given : given;
    if (!verdict.ok) throw this.refuse(provider, verdict.cause);
    const { events, stored, storedType, reply, asksForAnswer } = this.read(provider, webhooks, delivery);
    const headers = safeHeaders(delivery.headers);
    if (storedType !== undefined) headers['content-type'] = storedType;
    const payload = new StoredPayload(headers, stored ?? delivery.body);
    const taken = { provider: provider.key, tenant: verdict.tenant, payload, events };
    if (events.length > 0) await this.writer.store(taken);
    this.accepted(provider.key).inc();
    return { status: 200, ...(asksForAnswer ? await this.answers.ask(taken) : reply) };
  }

  /**
   * A valid sender is not sent away: it would come back for days, and then switch us off. What cannot be read is kept as an event
   * that nobody handles, without its body, which may hold what only its reader would know to leave out.
   */
  private read(provider: Provider, webhooks: WebhookFacts, delivery: RawDelivery): ParsedDelivery {
    let fault: unknown;
    try {
      const parsed = webhooks.parse(delivery);
      if (parsed.events.every(canBeKept)) return parsed;
      fault = 'an id, a type or a key is longer than can be kept';
    } catch (error) {
      if (!(error instanceof IntegrationError) || error.code !== 'invalid_request') throw error;
      fault = error.message;
    }
    const eventId = `${UNREADABLE}:${createHash('sha256').update(delivery.body).digest('hex')}`;
    this.logger.warn(`A delivery of ${provider.key} is verified but cannot be read, kept as ${eventId}: ${String(fault)}`);
    return { events: [{ eventId, type: UNREADABLE }], stored: NOTHING };
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
