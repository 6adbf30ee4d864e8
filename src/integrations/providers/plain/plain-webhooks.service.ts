import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { IntegrationError } from '../../../errors';
import type {
  DeliveryReply,
  IncomingEvent,
  KnownWatch,
  KnownWatches,
  ParsedDelivery,
  ProviderCall,
  RawDelivery,
  ToldSecret,
  Verdict,
  WebhookFacts,
} from '../../contract';
import { verifyByCall } from '../signatures/call.scheme';
import { watchOfToken } from '../signatures/channel-token.scheme';
import { JwksVerifier } from '../signatures/jwks.verifier';
import type { SchemeOf } from '../signatures/signature-scheme';
import { GOOD, refused } from '../signatures/verification';
import { verifySigned } from '../signatures/verify-signed';
import { pointed } from '../pointed';
import { textAt, type Sources } from './at';
import { withPointed } from './plain-pages';
import type { Values } from './filled-address';
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

/** Events of one delivery that are looked at for the watches that they belong to. */
const MAX_WATCHED = 1_000;
const NOBODY_TO_ASK: ProviderCall = () => Promise.reject(new IntegrationError('provider_unavailable'));
/** Strangers may send some as well: the newest are kept. */
const MAX_TOLD = 10;
const MAX_TOLD_BYTES = 1_000;
const TOLD = /^[\w-]{16,200}$/;
const NO_WATCHES: KnownWatches = { find: () => Promise.resolve(undefined), ofAccount: () => Promise.resolve([]) };

/** Deliveries, as declared: verified by the scheme, read by where things stand. */
export class PlainWebhooksService implements WebhookFacts {
  readonly configured: boolean;
  readonly signedByClient: boolean;
  readonly handlers: NonNullable<WebhookFacts['handlers']>;
  private readonly published: JwksVerifier | undefined;
  private readonly told: ToldSecret[] = [];
  /** Of a verified delivery, until it is parsed: the watches that its events belong to, by their place. */
  private readonly watched = new WeakMap<RawDelivery, readonly (readonly KnownWatch[])[]>();

  constructor(
    private readonly declaration: PlainProvider,
    private readonly facts: PlainWebhooks,
    private readonly own: PlainWebhookSettings,
  ) {
    this.published = facts.scheme.kind === 'jwks' ? publishedBy(facts.scheme, own) : undefined;
    // Watches bring a secret of their own.
    this.configured = facts.scheme.kind === 'watch' || (this.published?.configured ?? own.secrets.length > 0);
    this.signedByClient = facts.signedByClient ?? false;
    this.handlers = plainHandlers(declaration, facts, own.addresses);
  }

  verify(delivery: RawDelivery, watches: KnownWatches = NO_WATCHES, call: ProviderCall = NOBODY_TO_ASK): Verdict | Promise<Verdict> {
    const { scheme, watchIds } = this.facts;
    if (scheme.kind === 'call') {
      const address = (values: Values) => this.own.addresses.below(scheme.path, values);
      return verifyByCall(delivery, this.own.secrets, scheme, { call, address });
    }
    if (scheme.kind === 'watch') return this.verifyByWatches(delivery, scheme, watches);
    if (this.published || scheme.kind === 'jwks') return this.published!.verify(delivery);
    const url = `${this.own.publicUrl()}${delivery.url ?? `/webhooks/${this.declaration.key}`}`;
    const verdict = verifySigned(delivery, this.own.secrets, scheme, url);
    return watchIds === undefined || !verdict.ok ? verdict : this.findWatches(delivery, watchIds, watches).then(() => verdict);
  }

  /** What belongs to no watch of ours is left out; where nothing else is in it the delivery is refused. */
  private async verifyByWatches(delivery: RawDelivery, { token }: SchemeOf<'watch'>, watches: KnownWatches): Promise<Verdict> {
    const found: KnownWatch[][] = [];
    let shown = false;
    for (const item of itemsIn(this.facts, jsonIn(delivery))?.slice(0, MAX_WATCHED) ?? []) {
      const text = pointed(item, token);
      shown ||= text !== undefined && text !== null;
      const watch = await watchOfToken(text, watches);
      found.push(watch ? [watch] : []);
    }
    if (!found.some(({ length }) => length > 0)) return refused(shown ? 'wrong_token' : 'no_signature');
    this.watched.set(delivery, found);
    return GOOD;
  }

  private async findWatches(delivery: RawDelivery, watchIds: string, watches: KnownWatches): Promise<void> {
    const json = jsonIn(delivery);
    const found: (readonly KnownWatch[])[] = [];
    for (const item of itemsIn(this.facts, json)?.slice(0, MAX_WATCHED) ?? []) {
      const routingKey = textAt(this.facts.routingKey, { json: item, headers: delivery.headers, token: json });
      const ids = [pointed(item, watchIds)].flat().filter((id) => typeof id === 'number' || typeof id === 'string');
      const account = { provider: this.declaration.key, routingKey: routingKey ?? '' };
      found.push(routingKey === undefined || ids.length === 0 ? [] : await watches.ofAccount(account, ids.slice(0, 100).map(String)));
    }
    this.watched.set(delivery, found);
  }

  /** What proves nothing but that the address is ours is answered unsigned; what needs the secret (`hmac`) only once it is verified, or by GET. */
  challenge(delivery: RawDelivery): DeliveryReply | undefined {
    const { challenge } = this.facts;
    const { method = 'POST' } = delivery;
    if (this.hearsSecret(delivery)) return { body: '', contentType: 'text/plain; charset=utf-8' };
    if (!challenge || challenge.method !== method || (challenge.reply === 'hmac' && method === 'POST')) return undefined;
    const query = queryOf(delivery);
    const value = textAt(challenge.at, { query, headers: delivery.headers, json: method === 'POST' ? jsonIn(delivery) : undefined });
    if (value === undefined) return undefined;
    if (challenge.token !== undefined && !this.own.secrets.some((secret) => same(secret, query.get(challenge.token ?? '') ?? '')))
      return undefined;
    return this.replyTo(challenge, value);
  }

  toldSecrets(): readonly ToldSecret[] {
    return this.told;
  }

  /** At an address of one connection it is nobody's who could set it. */
  private hearsSecret(delivery: RawDelivery): boolean {
    const { tellsSecret, scheme } = this.facts;
    if (tellsSecret === undefined || delivery.method !== 'POST' || delivery.body.length > MAX_TOLD_BYTES) return false;
    if (delivery.url !== undefined && delivery.url !== `/webhooks/${this.declaration.key}`) return false;
    if ('header' in scheme && scheme.header !== undefined && delivery.headers[scheme.header] !== undefined) return false;
    const json = jsonIn(delivery);
    const secret = pointed(json, tellsSecret);
    if (typeof secret !== 'string' || !TOLD.test(secret) || Object.keys(json as object).length !== 1) return false;
    const others = this.told.filter((each) => each.secret !== secret);
    this.told.splice(0, this.told.length, { secret, receivedAt: delivery.receivedAt }, ...others.slice(0, MAX_TOLD - 1));
    return true;
  }

  parse(delivery: RawDelivery): ParsedDelivery {
    const { challenge } = this.facts;
    const json = jsonIn(delivery);
    if (json === undefined) throw this.noEvent();
    const asked = challenge?.method === 'POST' ? textAt(challenge.at, { json, headers: delivery.headers }) : undefined;
    const reply = challenge && asked !== undefined ? this.replyTo(challenge, asked) : undefined;
    if (reply) return { events: [], reply };
    const list = itemsIn(this.facts, json);
    if (!list) throw this.noEvent();
    const watched = this.watched.get(delivery);
    if (this.facts.scheme.kind === 'watch') return this.ofOneConnection(delivery, json, this.facts.scheme.token);
    if (this.facts.watchIds === undefined) return { events: list.map((item, index) => this.event(item, { delivery, json, index })) };
    const events = list.flatMap((item, index) =>
      watchesOf(watched, index).map((watch) => this.event(item, { delivery, json, index, watch })),
    );
    return { events };
  }

  /**
   * The events of a delivery share what is stored of it, so only those of its first watch's connection are taken (each watch has an address of
   * its own: others should not be in it, and a run finds what was not told), and without their token.
   */
  private ofOneConnection(delivery: RawDelivery, json: unknown, token: string): ParsedDelivery {
    const watched = this.watched.get(delivery)?.map(([watch]) => watch) ?? [];
    const first = watched.find((watch) => watch !== undefined);
    const kept = (itemsIn(this.facts, json) ?? []).flatMap((item, at) => {
      const watch = watched[at];
      return watch && watch.connectionId === first?.connectionId ? [{ watch, item: withPointed(item, token, watch.channelId) }] : [];
    });
    const { items } = this.facts;
    const stored =
      items === undefined
        ? kept[0]?.item
        : withPointed(
            json,
            items,
            kept.map(({ item }) => item),
          );
    const events = kept.map(({ item, watch }, index) => this.event(item, { delivery, json, index, watch }));
    return { events, stored: Buffer.from(JSON.stringify(stored ?? null)) };
  }

  private event(
    item: unknown,
    { delivery, json, index, watch }: { delivery: RawDelivery; json: unknown; index: number; watch?: KnownWatch },
  ): IncomingEvent {
    const { eventId, type, routingKey, objectId, objectVersion } = this.facts;
    // `token:` reaches what stands around the list.
    const from: Sources = { json: item, headers: delivery.headers, token: json, ...(watch && { watch: { resource: watch.resource } }) };
    const types = type.map((at) => textAt(at, from)).filter((part) => part !== undefined);
    if (types.length === 0) throw this.noEvent();
    const id = eventIdIn(eventId, from) ?? `${createHash('sha256').update(delivery.body).digest('hex').slice(0, 40)}.${index}`;
    const routing = textAt(routingKey, from);
    const object = textAt(objectId, from);
    const version = objectVersion === undefined ? undefined : versionOf(textAt(objectVersion, from));
    return {
      eventId: id,
      type: types.join('.'),
      ...(routing !== undefined && !watch && { routingKey: routing }),
      ...(watch && { connectionId: watch.connectionId }),
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

/** The list of events in a delivery. */
function itemsIn({ items }: PlainWebhooks, json: unknown): readonly unknown[] | undefined {
  const list = items === undefined ? [json] : pointed(json, items);
  return Array.isArray(list) ? list : undefined;
}

/** One of each connection: it gets an event once. */
function watchesOf(watched: readonly (readonly KnownWatch[])[] | undefined, index: number): readonly KnownWatch[] {
  const ofConnection = new Map((watched?.[index] ?? []).map((watch) => [watch.connectionId, watch]));
  return [...ofConnection.values()];
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
