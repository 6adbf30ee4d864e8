import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { IntegrationError } from '../../../errors';
import type { DeliveryReply, IncomingEvent, ParsedDelivery, RawDelivery, Verdict, WebhookFacts } from '../../contract';
import { JwksVerifier } from '../signatures/jwks.verifier';
import type { SchemeOf } from '../signatures/signature-scheme';
import { verifySigned } from '../signatures/verify-signed';
import { pointed } from '../pointed';
import { textAt, type Sources } from './at';
import type { PlainAddresses } from './plain-addresses';
import { eventIdIn } from './plain-event-items';
import { plainHandlers } from './plain-events.handlers';
import type { PlainProvider, PlainWebhooks } from './plain-provider';
import { versionOf } from './plain-sync.service';

export interface PlainWebhookSettings {
  readonly secrets: readonly string[];
  /** For published keys: whom their tokens must be for, and where they stand if not where the declaration says. */
  readonly audience?: string | undefined;
  readonly keysUrl?: string | undefined;
  /** Origin under which the provider reaches us. */
  readonly publicUrl: () => string;
  readonly addresses: PlainAddresses;
}

/** Deliveries, as declared: verified by the scheme, read by where things stand. */
export class PlainWebhooksService implements WebhookFacts {
  readonly configured: boolean;
  readonly handlers: NonNullable<WebhookFacts['handlers']>;
  private readonly published: JwksVerifier | undefined;

  constructor(
    private readonly declaration: PlainProvider,
    private readonly facts: PlainWebhooks,
    private readonly own: PlainWebhookSettings,
  ) {
    this.published = facts.scheme.kind === 'jwks' ? publishedBy(facts.scheme, own) : undefined;
    this.configured = this.published?.configured ?? own.secrets.length > 0;
    this.handlers = plainHandlers(declaration, facts, own.addresses);
  }

  verify(delivery: RawDelivery): Verdict | Promise<Verdict> {
    const { scheme } = this.facts;
    if (this.published || scheme.kind === 'jwks') return this.published!.verify(delivery);
    const url = `${this.own.publicUrl()}${delivery.url ?? `/webhooks/${this.declaration.key}`}`;
    return verifySigned(delivery, this.own.secrets, scheme, url);
  }

  /** What proves nothing but that the address is ours is answered unsigned; what needs the secret (`hmac`) only once it is verified, or by GET. */
  challenge(delivery: RawDelivery): DeliveryReply | undefined {
    const { challenge } = this.facts;
    const { method = 'POST' } = delivery;
    if (!challenge || challenge.method !== method || (challenge.reply === 'hmac' && method === 'POST')) return undefined;
    const query = queryOf(delivery);
    const value = textAt(challenge.at, { query, headers: delivery.headers, json: method === 'POST' ? jsonIn(delivery) : undefined });
    if (value === undefined) return undefined;
    if (challenge.token !== undefined && !this.own.secrets.some((secret) => same(secret, query.get(challenge.token ?? '') ?? '')))
      return undefined;
    return this.replyTo(challenge, value);
  }

  parse(delivery: RawDelivery): ParsedDelivery {
    const { challenge, items } = this.facts;
    const json = jsonIn(delivery);
    if (json === undefined) throw this.noEvent();
    const asked = challenge?.method === 'POST' ? textAt(challenge.at, { json, headers: delivery.headers }) : undefined;
    const reply = challenge && asked !== undefined ? this.replyTo(challenge, asked) : undefined;
    if (reply) return { events: [], reply };
    const list = items === undefined ? [json] : pointed(json, items);
    if (!Array.isArray(list)) throw this.noEvent();
    return { events: list.map((item, index) => this.event(item, { delivery, json, index })) };
  }

  private event(item: unknown, { delivery, json, index }: { delivery: RawDelivery; json: unknown; index: number }): IncomingEvent {
    const { eventId, type, routingKey, objectId, objectVersion } = this.facts;
    // `token:` reaches what stands around the list.
    const from: Sources = { json: item, headers: delivery.headers, token: json };
    const types = type.map((at) => textAt(at, from)).filter((part) => part !== undefined);
    if (types.length === 0) throw this.noEvent();
    const id = eventIdIn(eventId, from) ?? `${createHash('sha256').update(delivery.body).digest('hex').slice(0, 40)}.${index}`;
    const routing = textAt(routingKey, from);
    const object = textAt(objectId, from);
    const version = objectVersion === undefined ? undefined : versionOf(textAt(objectVersion, from));
    return {
      eventId: id,
      type: types.join('.'),
      ...(routing !== undefined && { routingKey: routing }),
      ...(object !== undefined && version !== undefined && { objectKey: `${kindOf(types[0]!)}/${object}`, objectVersion: version }),
    };
  }

  private noEvent(): IntegrationError {
    return new IntegrationError('invalid_request', { detail: `This is not an event of ${this.declaration.name}.` });
  }

  private replyTo({ reply, name = 'challenge' }: NonNullable<PlainWebhooks['challenge']>, value: string): DeliveryReply | undefined {
    switch (reply) {
      case 'echo':
        return { body: value, contentType: 'text/plain; charset=utf-8' };
      case 'json':
        return { body: JSON.stringify({ [name]: value }), contentType: 'application/json' };
      case 'header':
        return { body: '', contentType: 'text/plain; charset=utf-8', headers: { [name]: value } };
      case 'hmac': {
        const [secret] = this.own.secrets;
        // Only a word: who could have any text signed could forge a delivery.
        if (secret === undefined || !/^[\w-]{1,128}$/.test(value)) return undefined;
        return {
          body: JSON.stringify({ plainToken: value, [name]: createHmac('sha256', secret).update(value).digest('hex') }),
          contentType: 'application/json',
        };
      }
    }
  }
}

function publishedBy(
  { keys, issuers, header, bodyHash, algorithm }: SchemeOf<'jwks'>,
  { audience, keysUrl }: PlainWebhookSettings,
): JwksVerifier {
  return new JwksVerifier({
    jwksUrl: keysUrl ?? keys,
    issuers,
    claims: {},
    ...(audience !== undefined && { audience }),
    ...(header !== undefined && { header }),
    ...(bodyHash !== undefined && { bodyHash }),
    ...(algorithm && { algorithm }),
  });
}

/** `contact` of `contact.creation`: what happens to an object is no part of which object it is. */
const kindOf = (type: string): string => type.split(/[./]/)[0]!;

function jsonIn(delivery: RawDelivery): unknown {
  const text = delivery.body.toString('utf8');
  try {
    if (String(delivery.headers['content-type'] ?? '').includes('x-www-form-urlencoded'))
      return Object.fromEntries(new URLSearchParams(text));
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function queryOf({ url = '' }: RawDelivery): URLSearchParams {
  return new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : '');
}

function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
