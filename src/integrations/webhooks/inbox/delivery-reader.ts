import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { IntegrationError } from '../../../errors';
import { traceInHand } from '../../../tracing';
import type { DeliveryReply, IncomingEvent, ParsedDelivery, Provider, RawDelivery, RefusalCause, WebhookFacts } from '../../contract';
import { TenantProviders } from '../../connections';
import { ProviderRegistry } from '../../providers';
import { WatchService } from '../../sync';
import { WebhookAddressesService } from '../addresses/webhook-addresses.service';
import { StoredPayload, TRACE_HEADER } from '../stored-payload';
import { DeliveryCalls } from './delivery-calls';
import type { NewDelivery } from './inbox-insert';
import { RefusalCounter } from './refusal-counter';
import { safeHeaders } from './safe-headers';

/** A provider that delivers. */
export type Sender = Provider & {
  readonly webhooks: WebhookFacts;
  /** The one connection that it delivers for, at the address of that. */
  readonly connection?: { readonly id: string; readonly tenant: string };
  /** The organization's own client that it delivers for, at the address of that. */
  readonly ownClient?: { readonly id: string; readonly tenant: string };
};
/** Whose secret it was verified with; no tenant: the app's own. */
export type Verified = Pick<NewDelivery, 'tenant' | 'client'>;

export interface ReadDelivery {
  readonly taken: NewDelivery;
  readonly reply?: DeliveryReply;
  /** Whether the sender waits for what a handler says at once. */
  readonly asksForAnswer?: boolean;
}

/** Longer than any provider's; an index entry must stay small. */
const MAX_CHARS = 512;
/** Type of what a verified sender sent and nobody could read. */
const UNREADABLE = 'unreadable';
const NOTHING = Buffer.alloc(0);
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What a delivery is: whose, whether it is genuine, and which events it brings. */
@Injectable()
export class DeliveryReader implements OnApplicationBootstrap {
  private readonly logger = new Logger('webhooks');

  constructor(
    private readonly registry: ProviderRegistry,
    private readonly refusals: RefusalCounter,
    private readonly addresses: WebhookAddressesService,
    private readonly watches: WatchService,
    private readonly calls: DeliveryCalls,
    private readonly providers: TenantProviders,
  ) {}

  onApplicationBootstrap(): void {
    const silent = this.registry.offered().filter(({ webhooks }) => webhooks && !webhooks.configured);
    for (const { name, key } of silent)
      this.logger.warn(`${name} has nothing to verify its webhooks with: every delivery to /webhooks/${key} is refused.`);
  }

  /** @throws IntegrationError `provider_unknown`, `unsupported_media_type` */
  sender(providerKey: string, { headers }: RawDelivery): Sender {
    const provider = this.registry.find(providerKey);
    if (!provider?.webhooks) throw new IntegrationError('provider_unknown');
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      throw new IntegrationError('unsupported_media_type', {
        detail: 'Compressed bodies are not taken.',
        nextStep: 'Send the body without Content-Encoding.',
      });
    }
    return provider as Sender;
  }

  /** The same where it delivers for one connection, or for an organization's own client. @throws IntegrationError `not_found` */
  async senderAt(known: Sender, address: string): Promise<Sender> {
    const ofClient = await this.providers.atAddress(known, address);
    if (ofClient?.provider.webhooks) {
      const { provider, clientId: id, tenant } = ofClient;
      return { ...provider, webhooks: ofClient.provider.webhooks, ownClient: { id, tenant } };
    }
    const found = known.webhooks.withSecrets && (await this.addresses.opened(known.key, address));
    if (!found) throw new IntegrationError('not_found', { detail: 'Nobody is delivered to at this address.' });
    const { connectionId: id, tenant, secret } = found;
    return { ...known, webhooks: known.webhooks.withSecrets!([secret]), connection: { id, tenant } };
  }

  /**
   * Over the raw bytes, before anything of them is believed. Most schemes answer at once, without a promise.
   * @throws IntegrationError `not_found`; `signature_invalid`: the cause is counted, never told
   */
  verify(sender: Sender, delivery: RawDelivery): Verified | Promise<Verified> {
    if (delivery.method === 'GET') throw new IntegrationError('not_found');
    const { webhooks, connection, ownClient } = sender;
    if (!webhooks.configured) throw this.refuse(sender, 'no_secret');
    const verified = (verdict: Awaited<ReturnType<WebhookFacts['verify']>>): Verified => {
      if (!verdict.ok) throw this.refuse(sender, verdict.cause);
      // A client's secret speaks for that client alone, and within its organization.
      if (ownClient) return { tenant: ownClient.tenant, client: ownClient.id };
      return { tenant: verdict.tenant, ...(webhooks.signedByClient && !connection && { client: '' }) };
    };
    const call = this.calls.callFor({ provider: sender, ...(connection && { connectionId: connection.id }) });
    const given = webhooks.verify(delivery, this.watches, call);
    return given instanceof Promise ? given.then(verified) : verified(given);
  }

  read(sender: Sender, delivery: RawDelivery, { tenant, client }: Verified): ReadDelivery {
    const { events: told, stored, storedType, reply, asksForAnswer } = this.parse(sender, delivery);
    // Whose account it is, the address says: what the body says of it would let one account speak for another.
    const { connection } = sender;
    const events = connection ? told.map((event) => forOne(event, connection.id)) : told;
    const headers = safeHeaders(delivery.headers);
    if (storedType !== undefined) headers['content-type'] = storedType;
    const traceparent = traceInHand();
    if (traceparent !== undefined) headers[TRACE_HEADER] = traceparent;
    const payload = new StoredPayload(headers, stored ?? delivery.body);
    return { taken: { provider: sender.key, tenant: connection?.tenant ?? tenant, client, payload, events }, reply, asksForAnswer };
  }

  /**
   * A valid sender is not sent away: it would come back for days, and then switch us off. What cannot be read is kept as an event
   * that nobody handles, without its body, which may hold what only its reader would know to leave out.
   */
  private parse({ key, webhooks }: Sender, delivery: RawDelivery): ParsedDelivery {
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
    this.logger.warn(`A delivery of ${key} is verified but cannot be read, kept as ${eventId}: ${String(fault)}`);
    return { events: [{ eventId, type: UNREADABLE }], stored: NOTHING };
  }

  private refuse({ key }: Sender, cause: RefusalCause): IntegrationError {
    this.refusals.add(key, cause);
    return new IntegrationError('signature_invalid');
  }
}

function forOne({ eventId, type, objectKey, objectVersion }: IncomingEvent, connectionId: string): IncomingEvent {
  return {
    eventId,
    type,
    connectionId,
    ...(objectKey !== undefined && { objectKey }),
    ...(objectVersion !== undefined && { objectVersion }),
  };
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
