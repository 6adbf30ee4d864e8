/**
 * The contract of a provider: types only. A provider is a folder of facts (data, here) and three services (auth, sync,
 * webhooks). The core reads these and knows no provider's name.
 */
import type { KeyObject } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { z } from 'zod';
import type { ErrorCode } from '../errors';
import type { Extent, KnownWatches, PartitionList, StoredRecord, SyncPage, SyncRecord } from './contract-records';

export type * from './contract-records';

export type Fetch = typeof globalThis.fetch;

/** What a provider is, all in one place. Each `<p>.module.ts` builds one and registers it. */
export interface Provider {
  /** Lower case, stable: part of addresses and rows. */
  readonly key: string;
  /** As people write it. */
  readonly name: string;
  /** Whether this server holds the credentials that the provider needs. */
  readonly configured: boolean;
  /** Base of the provider's API, with a trailing slash; the proxy is confined to it. */
  readonly apiBaseUrl: string;
  /** Further origins that the provider's own SDK calls; credentials go to these and to `apiBaseUrl`'s only. */
  readonly otherOrigins?: readonly string[];
  readonly oauth2?: OAuth2Facts;
  readonly apiKey?: ApiKeyFacts;
  readonly auth: ProviderAuth;
  readonly http: HttpFacts;
  readonly webhooks?: WebhookFacts;
  readonly sync?: ProviderSync;
  /** What the operator has to mend, by the provider's code, e.g. `ACME_CLIENT_SECRET`. Default: by the codes of RFC 6749. */
  readonly mendedBy?: Readonly<Record<string, string>>;
  /** Names of what people can do with it, e.g. `messages.send`. */
  readonly actions: readonly string[];
  /** Its words in other languages, by the language's tag and the English text: of scopes, fields, help, resources and what they leave out. */
  readonly translations?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Whether pages and health show it before anybody has connected it. Default true. */
  readonly offered?: boolean;
  /** What a person fills in before connecting, by name. */
  readonly ask?: Readonly<Record<string, AskedFacts>>;
  /**
   * The provider as it is for a connection with these values (what was asked and learnt, the connection's metadata): its addresses filled in.
   * The same values give the same object. Absent: it is the same for all.
   * @throws IntegrationError `destination_refused` for a value that leads elsewhere
   */
  resolve?(values: Readonly<Record<string, unknown>>): Provider;
  /** How the service calls it as the app itself, by nobody's grant. Absent: it does not, or has no credentials for it. */
  readonly app?: AppFacts;
  /** Whether it can be called as an app itself, whoever's the app is. Default: no. */
  readonly takesApp?: boolean;
  /** The provider with an organization's own client in place of the operator's. Absent: it takes none. */
  withClient?(client: OAuthClient): Provider;
}

/** How an app shows that it is itself. */
export type AppFacts = AppBySecret | AppByKey;

export interface AppBySecret extends OAuthClient {
  /** `client_credentials`: by a token of its own (RFC 6749, 4.4); `basic`: its id and secret with every call. */
  readonly by: 'client_credentials' | 'basic';
  /** Sent with every call that shows id and secret; a token's are set by `HttpFacts.authorize`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** By a JSON Web Token that it issues and signs itself (RS256), for each call anew. The operator's alone: no client of an organization has the key. */
export interface AppByKey {
  readonly by: 'jwt';
  /** The issuer. */
  readonly clientId: string;
  readonly privateKey: KeyObject;
}

/** An app that is registered at a provider. */
export interface OAuthClient {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** A field that a person fills in. */
export interface AskedFacts {
  readonly label: string;
  /** What the whole value must match. */
  readonly pattern: RegExp;
  /** One that matches, shown to the person. */
  readonly example: string;
  /** Encrypted with the key. Default: kept with the connection, readable. */
  readonly secret?: boolean;
}

// ── Authentication ───────────────────────────────────────────────────────────────────────────────────────────────────

export interface OAuth2Facts {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  /** What `iss` says on the way back, where the provider sends it (RFC 9207). Default: the origin of `authorizeUrl`. */
  readonly issuer?: string;
  readonly revokeUrl?: string;
  readonly userinfoUrl?: string;
  readonly scopes: readonly string[];
  /** What a scope allows, in words for the person who is asked, e.g. `read your calendars`. Default: the scope's name. */
  readonly scopeWords?: Readonly<Record<string, string>>;
  /** What may be asked for in the person's own name, beside the app's scopes, for a token of its own. Default: nothing. */
  readonly userScopes?: UserScopeFacts;
  readonly scopeSeparator: ' ' | ',';
  /** Whether the provider takes PKCE (S256). */
  readonly pkce: boolean;
  /** Further parameters of the authorize address, e.g. `access_type=offline`. */
  readonly authorizeParams?: Readonly<Record<string, string>>;
  /** How the client shows who it is at the token endpoint. Default `body`. */
  readonly clientAuth?: 'body' | 'basic';
  /**
   * Default `code`. With the others nobody consents, and the token is minted for what a person fills in: an id and a secret with
   * `client_credentials`, whatever a sign-in call of the provider's own takes with `login`.
   */
  readonly grant?: 'code' | 'client_credentials' | 'login';
  /**
   * With `code`, of an app that is installed on accounts: the consent tells only who asks, and for which of them. What is kept is a token of each
   * installation, minted by the app itself (`Provider.app`, by `jwt`), now and whenever one ends.
   */
  readonly installation?: InstallationFacts;
  /** For `login`: what is posted to `tokenUrl`, as JSON, with the secrets that were filled in. @throws IntegrationError `needs_reauth` where one is missing */
  signIn?(secrets: Readonly<Record<string, string>>): unknown;
  /** How fields are written at the token endpoint. Default `form`. */
  readonly tokenBody?: 'form' | 'json';
  /** Further fields of every token call. */
  readonly tokenParams?: Readonly<Record<string, string>>;
  /** Refresh when the token ends within this many ms. Default 60 000. */
  readonly refreshAheadMs?: number;
  /** Deadline of one token call, ms. Default 30 000. */
  readonly tokenTimeoutMs?: number;
  /** Error codes of the token endpoint that end the grant for good (`invalid_grant`). All others are passing or our own fault. */
  readonly refusalCodes: readonly string[];
  /** Error codes that say our client id or secret is wrong: never the user's fault. */
  readonly clientFaultCodes: readonly string[];
  /** Error codes that say the user's organization forbids it: its administrator can mend it, and nobody else. */
  readonly organizationCodes?: readonly string[];
}

export interface InstallationFacts {
  /** Where a token of the installation of the account with these values is minted, below `Provider.apiBaseUrl`. */
  tokenUrl(values: Readonly<Record<string, unknown>>): string;
  /** @param now ms since the epoch @throws IntegrationError `provider_bad_answer` */
  read(body: unknown, now: number): TokenGrant;
  /**
   * What a refusal means: `needs_reauth` (it is no longer installed), `organization_forbids` (it rests, until its account lets it go on).
   * Undefined: the status decides, and a 401 is the operator's to mend.
   */
  readFault?(answer: { status: number; headers: Headers; json: unknown }): ProviderFault | undefined;
}

export interface UserScopeFacts {
  /** Of the authorize address, e.g. `user_scope`. */
  readonly parameter: string;
  /** Of the token that is given for them: `TokenGrant.kind`. */
  readonly kind: string;
  /** What a connect may ask for: the operator's setting. */
  readonly allowed: readonly string[];
  /** Like `scopeWords`: what the person's own token may then do. */
  readonly words?: Readonly<Record<string, string>>;
}

export interface ApiKeyFacts {
  /** What a key looks like, checked before the verifying call. */
  readonly pattern: RegExp;
  /** Where a person finds the key: one sentence. */
  readonly help: string;
}

/** One access token with its own life. Most providers have one of kind `default`; some have several, e.g. `bot` and `user`. */
export interface TokenGrant {
  readonly kind: string;
  readonly accessToken: string;
  /** Absent: the provider sent none. A stored one is then kept. */
  readonly refreshToken?: string;
  /** Seconds from now; absent: does not expire. */
  readonly expiresInS?: number;
  readonly scopes: readonly string[];
}

export interface AccountIdentity {
  /** Stable id of the account at the provider; with tenant and user it identifies the connection. */
  readonly accountId: string;
  /** As a person knows it, e.g. the workspace's name. */
  readonly accountName: string;
  /** What the provider knows the grant by, where several accounts stand on one; `accountId` where absent. */
  readonly grantKey?: string;
  /** Key under which the provider's webhooks name this account; `accountId` where absent. */
  readonly routingKey?: string;
  /** Further facts of the account, never a secret, e.g. `{ livemode: false }`. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** A secret that somebody sent, who may be anybody. */
export interface ToldSecret {
  readonly secret: string;
  /** ms since the epoch */
  readonly receivedAt: number;
}

/** Implemented by `<p>-auth.service.ts`. */
export interface ProviderAuth {
  /**
   * Turns the token endpoint's body into grants. `kind` is given for a refresh: the kind that was refreshed.
   * @throws IntegrationError `connect_failed` with `providerCode` where the body says no (some answer 200 all the same).
   */
  parseTokenResponse(body: unknown, context: { step: 'exchange' | 'refresh'; kind?: string }): readonly TokenGrant[];
  /** What the way back tells of the account's addresses, before anything is called there; becomes part of `values`. */
  learn?(context: { tokenBody: unknown; callback: Readonly<Record<string, string>> }): Readonly<Record<string, string>>;
  /**
   * Who granted this, asked once after the exchange through `fetch` (governed, carries the new token).
   * `callback` is the query with which the browser came back, `values` what was asked and learnt.
   * A list where one consent is for several accounts: each becomes a connection, and all of them share the consent's token, so that
   * they have one `grantKey`, and `slotOf` says in which slot the token lies.
   */
  identify(context: {
    fetch: Fetch;
    grants: readonly TokenGrant[];
    tokenBody: unknown;
    callback?: Readonly<Record<string, string>>;
    values?: Readonly<Record<string, unknown>>;
  }): Promise<AccountIdentity | readonly AccountIdentity[]>;
  /** One real call with the key. @throws IntegrationError `credentials_rejected`. */
  verifyApiKey?(context: {
    fetch: Fetch;
    /** What the person typed; `fetch` carries it already. */
    apiKey: string;
    values?: Readonly<Record<string, unknown>>;
  }): Promise<AccountIdentity & { scopes?: readonly string[] }>;
  /**
   * The slot of the grant in which this kind of token lies, where the provider keeps one set for all who connect the account: of an
   * installation (`bot`), of a person in it (`user:U1`). Undefined: each connection has a token of its own. `metadata` is the account's.
   */
  slotOf?(kind: string, metadata: Readonly<Record<string, unknown>>): string | undefined;
  /** Ends those tokens only, while other connections stand on the grant. Absent: they are forgotten. */
  revokeTokens?: ProviderAuth['revoke'];
  /** Ends the grant at the provider, with the last connection on it. True when the provider confirmed or no longer knew it. */
  revoke?(context: {
    fetch: Fetch;
    /** Without a credential: the app shows its own. */
    fetchAsApp?: Fetch;
    connection: ConnectionRef;
    tokens: readonly { kind: string; accessToken: string; refreshToken?: string }[];
  }): Promise<boolean>;
}

/** What the core hands round of a connection: no secret in it. */
export interface ConnectionRef {
  readonly id: string;
  readonly tenant: string;
  /** Empty where the connection is the organization's. */
  readonly userId: string;
  readonly provider: string;
  readonly accountId: string;
  readonly authType: 'oauth2' | 'api_key';
  /** What was consented to, where the provider tells; of a pasted key nothing is known. */
  readonly scopes?: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

// ── The way out ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface HttpFacts {
  /** The API's methods, first match wins; one that matches none gets its path with ids replaced, and `defaultLimit`. */
  readonly endpoints: readonly EndpointFacts[];
  /** Rate limits by name; an endpoint names the ones that it falls under. */
  readonly limits: Readonly<Record<string, LimitFacts>>;
  /** Limits that every call falls under, besides its endpoint's. */
  readonly defaultLimits: readonly string[];
  /** Retry policy; see the retry interceptor for the defaults. */
  readonly retry?: Partial<RetryFacts>;
  /** Total time for a call with all its tries, ms. Default 30 000. */
  readonly deadlineMs?: number;
  /** What of a request names another account or another credential than the connection's, in lower case: the proxy refuses it. */
  readonly foreignAccount?: { readonly headers?: readonly string[]; readonly parameters?: readonly string[] };
  /** Largest body taken from the provider, bytes. Default 50 MiB. */
  readonly maxResponseBytes?: number;
  /** Headers that tell what is left of a limit and when there is more; `epoch`: a time, otherwise how long. Default: `x-ratelimit-*`, `ratelimit-*`. */
  readonly limitHeaders?: { readonly remaining: string; readonly reset: string; readonly as: 's' | 'ms' | 'epoch-s' | 'epoch-ms' };
  /** Sets the credential on an outgoing request; `url` may be changed where it belongs into the query. Default: `Authorization: Bearer <accessToken>`. */
  authorize?(headers: Headers, credential: { accessToken: string; connection: ConnectionRef; url?: URL }): void;
  /**
   * Reads a failure out of an answer, the provider's own way; undefined: not a failure that only the provider's rules can see
   * (then the HTTP status decides). `json` is the parsed body where it is JSON, undefined otherwise.
   */
  readFault?(answer: {
    status: number;
    headers: Headers;
    json: unknown;
    /** Of the connection that was called for; undefined where there is none yet. Tells whose credential was refused. */
    authType?: ConnectionRef['authType'];
  }): ProviderFault | undefined;
}

export interface EndpointFacts {
  /** HTTP method; any where absent. */
  readonly method?: string;
  /** Path below the origin with `:name` for what varies, e.g. `/v1/customers/:id`. Also the name in logs and metrics. */
  readonly path: string;
  /**
   * May the call be repeated when it is not certain that it did not happen? Default: GET, HEAD, PUT, DELETE and OPTIONS yes, others only
   * with an idempotency key that the provider honours (`HttpFacts.retry.idempotencyHeader`).
   */
  readonly repeatable?: boolean;
  /** Names of limits. */
  readonly limits?: readonly string[];
  /** What the call costs of its limits (quota units). Default 1. */
  readonly cost?: number;
  /**
   * Where the proxy takes it. `declared` (default): unless the proxy is off. `any`: only where every endpoint is taken, for a pattern that stands
   * for what is not named. `never`: what the core does itself, like ending a grant.
   */
  readonly proxy?: 'declared' | 'any' | 'never';
}

export interface LimitFacts {
  /** Sustained rate. */
  readonly perSecond: number;
  /** How many may go at once after a pause. */
  readonly burst: number;
  /** What has a bucket of its own. `param`: each value of a form or JSON field (`keyParam`) of an account. */
  readonly per: 'provider' | 'account' | 'endpoint' | 'param';
  readonly keyParam?: string;
}

export interface RetryFacts {
  /** Tries in all, the first included. Default 4. */
  readonly maxAttempts: number;
  /** First back-off, ms; doubles each time, full jitter. Default 250. */
  readonly baseMs: number;
  /** Longest back-off, ms. Default 10 000. */
  readonly maxMs: number;
  /** A `Retry-After` longer than this is not waited for within the call: it fails with `retryAfter`. Default 30 000. */
  readonly maxRetryAfterMs: number;
  /** Request header that makes a repeated POST safe at this provider, e.g. `Idempotency-Key`. */
  readonly idempotencyHeader?: string;
}

/** A failure as the provider told it, put into our words once. */
export interface ProviderFault {
  readonly code: ErrorCode;
  readonly providerCode?: string;
  /** Default: the kind's own. */
  readonly retryable?: boolean;
  /** Certain that nothing happened at the provider. Default: true for 4xx, 429 and refusals; false for 5xx. */
  readonly notExecuted?: boolean;
  /** The token is no longer good: refresh once and replay once. */
  readonly tokenExpired?: boolean;
  /** The grant has ended for good: no refresh can help; the connection needs the user. */
  readonly grantEnded?: boolean;
  readonly retryAfterMs?: number;
  /** A sentence for a person, where the kind's own is too general. */
  readonly detail?: string;
  readonly nextStep?: string;
  readonly extra?: Readonly<Record<string, unknown>>;
}

// ── The way in ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** A delivery as it came: nothing parsed yet. Header names are lower case; a repeated header is an array. */
export interface RawDelivery {
  /** Upper case; `POST` where absent. */
  readonly method?: string;
  /** Path and query as they came, e.g. `/webhooks/x?validationToken=1`: some sign them, some ask in them. */
  readonly url?: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
  /** ms since the epoch, of the receiving process. */
  readonly receivedAt: number;
}

export type RefusalCause =
  'no_secret' | 'no_signature' | 'malformed_signature' | 'clock_skew' | 'wrong_signature' | 'unknown_channel' | 'wrong_token';
/**
 * A governed call of a provider's API that belongs to a delivery: with the token of the connection that the delivery is for, else as the app.
 * @param request address and rest, for the values of that connection
 */
export type ProviderCall = (
  request: (values: Readonly<Record<string, unknown>>) => readonly [address: string, init: RequestInit],
) => Promise<Response>;

export type Verdict = { readonly ok: true; readonly tenant?: string } | { readonly ok: false; readonly cause: RefusalCause };

export interface WebhookFacts {
  /** Whether something to verify with is configured; without, every delivery is refused and the start says so. */
  readonly configured: boolean;
  /**
   * Verifies over the raw bytes, in constant time. Never throws for what a stranger sent. `watches`: for a delivery that names one of ours; `call`:
   * where only the provider can tell.
   * @throws IntegrationError `provider_unavailable`: what verifies cannot be reached, so the delivery is worth sending again
   */
  verify(delivery: RawDelivery, watches?: KnownWatches, call?: ProviderCall): Promise<Verdict> | Verdict;
  /** Reads a verified delivery. What it cannot make sense of it throws as `invalid_request`: that is kept without its body, and answered 200. */
  parse(delivery: RawDelivery): ParsedDelivery;
  /** Answers a provider that, unsigned, asks whether this address is ours; undefined: it is no such question. The only thing that a GET may be. */
  challenge?(delivery: RawDelivery): DeliveryReply | undefined;
  /**
   * What came to the app's address as the secret with which all deliveries to it will be signed, newest first: unsigned, so that nobody knows who
   * sent it, and nothing is verified with it until an operator has set it. In memory. Absent: the provider sends none.
   */
  toldSecrets?(): readonly ToldSecret[];
  /** Whether the client's own secret signs them, so that an organization's own client has an address of its own. Default false. */
  readonly signedByClient?: boolean;
  /** The same with these secrets in place of the app's: those of an address of one connection. Absent: it has no such addresses. */
  withSecrets?(secrets: readonly string[]): WebhookFacts;
  /** What its events do, besides the handlers marked with `@OnWebhook`; a type may end with `*`. */
  readonly handlers?: readonly { readonly types: readonly string[]; readonly handler: WebhookHandler }[];
}

export interface ParsedDelivery {
  /** Usually one; none for a handshake. All of one delivery point to its one body. */
  readonly events: readonly IncomingEvent[];
  /** What is stored in place of the raw body, where that carries a secret (a client secret, a legacy token): the same without it. */
  readonly stored?: Buffer;
  /** Of `stored`, where it is not the delivery's own. */
  readonly storedType?: string;
  /** Answer other than an empty 200, e.g. the echo of a challenge. */
  readonly reply?: DeliveryReply;
  /** Somebody waits for what comes back: the handlers' `answer` is asked, within 2.5 s. */
  readonly asksForAnswer?: boolean;
}

export interface DeliveryReply {
  readonly body: string;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface IncomingEvent {
  /** The provider's id of the event: the same on every redelivery. */
  readonly eventId: string;
  readonly type: string;
  /** The account that it concerns: matches `AccountIdentity.routingKey`. Absent: unknown. */
  readonly routingKey?: string;
  /**
   * Which slots of the grant may see it (`ProviderAuth.slotOf`): it goes to connections that use one of them. `personal`: persons only, no
   * installation. Absent: whoever is connected to the account.
   */
  readonly seenBy?: { readonly slots: readonly string[]; readonly personal: boolean };
  /** Alternative to `routingKey` where the provider names a channel that we created: the connection's id. */
  readonly connectionId?: string;
  /** The object that it is about, e.g. `customer/cus_1`: events of one object never go backwards. */
  readonly objectKey?: string;
  /** Provider's time or version of the object, ms or counter: greater is newer. */
  readonly objectVersion?: number;
}

/** A stored event as a handler gets it. */
export interface WebhookEvent<T = unknown> {
  readonly id: string;
  readonly provider: string;
  readonly eventId: string;
  readonly type: string;
  /** The whole delivery's, read only: its events share it. */
  readonly payload: T;
  readonly headers: Readonly<Record<string, string>>;
  readonly receivedAt: Date;
  readonly attempt: number;
  readonly objectKey?: string;
  readonly objectVersion?: number;
}

/**
 * What a handler works with. Everything it does through `context` commits together with the event's `completed`: once, or not at all.
 * A call to the provider belongs before the effects, through `fetch`; it may be repeated if the process dies.
 */
export interface HandlerContext {
  /** Absent for an event of an account that nobody connected. */
  readonly connection?: ConnectionRef;
  /** The transaction of this event. */
  readonly manager: EntityManager;
  /** Aborted when the handler exceeds its time. */
  readonly signal: AbortSignal;
  /** Applies records in real time (upserts and deletions) within the transaction. */
  applyRecords(resource: string, records: readonly SyncRecord[], options?: { partition?: string }): Promise<void>;
  /** The living records of a resource that hang on a record of another, a page at a time: to move them where its id has changed. */
  partsOf(resource: string, partOf: { readonly resource: string; readonly id: string }): AsyncIterable<readonly StoredRecord[]>;
  /** Asks for an incremental sync of these resources; a burst of asks becomes one run. */
  requestSync(resources?: readonly string[]): Promise<void>;
  /** The delivery concerns more accounts than it said: each connection of them gets the event, once, with the payload of this one. */
  alsoFor(events: readonly IncomingEvent[]): Promise<void>;
  /**
   * The provider speaks of a watch of this connection. `renew`: it is renewed at once instead of shortly before its end. `ended`: it is
   * made anew. `missed`: there were changes that it did not tell of; a run finds them, as it does after `ended`.
   */
  tendWatch(channelId: string, what: 'renew' | 'ended' | 'missed'): Promise<void>;
  /** The provider ended the grant (app uninstalled, access revoked). */
  markRevoked(reason: { code: 'needs_reauth' | 'not_connected'; providerCode: string }): Promise<void>;
}

/**
 * A handler that first has to ask the provider (refetch of an object) declares `prepare`: it runs before the transaction opens, and its result is handed to `handle`.
 */
export interface WebhookHandler<T = unknown, P = unknown> {
  prepare?(event: WebhookEvent<T>, context: { connection: ConnectionRef; fetch: Fetch; signal: AbortSignal }): Promise<P>;
  /** The same for an event that belongs to no connection, so that there is no token to ask with: as the app, or not at all. */
  prepareAlone?(event: WebhookEvent<T>, context: { signal: AbortSignal }): Promise<P>;
  handle(event: WebhookEvent<T>, context: HandlerContext, prepared: P): Promise<void>;
  /**
   * In place of `handle`, where another event of the object with the same version took effect before: which is the later one is not known, so
   * that what this one carries may be old. Absent: the one with the greater id counts as the later one; with `prepare` the one that comes now.
   */
  handleTie?(event: WebhookEvent<T>, context: HandlerContext): Promise<void>;
  /**
   * What the provider shows at once, where it asks (commands, buttons and forms): JSON, or text as it is; undefined: nothing to
   * say. Asked before the event is worked off, and again when the delivery is repeated, so it must change nothing; 2.5 s at most.
   */
  answer?(event: ImmediateEvent<T>, context: { readonly signal: AbortSignal }): Promise<unknown>;
}

/** An event that has just been stored, as far as it is known by then. */
export type ImmediateEvent<T = unknown> = Pick<WebhookEvent<T>, 'provider' | 'eventId' | 'type' | 'payload' | 'headers'>;

// ── Synchronization ──────────────────────────────────────────────────────────────────────────────────────────────────

export interface ProviderSync {
  readonly resources: readonly SyncResource[];
  /** Resources that no run can walk: events alone fill them. */
  readonly eventOnly?: readonly EventResource[];
}

/** What is known of a resource's records, however they come. */
export interface EventResource {
  readonly name: string;
  /** As people read it: "Calendar events". */
  readonly label: string;
  /**
   * What a record's data has, for whoever reads it; what it does not name is there as well. Each record is held against it as it is written: one
   * that is otherwise is stored as it came, and named. Default: nothing is promised.
   */
  readonly shape?: z.ZodType;
}

/**
 * A kind of record, e.g. `channels`. A resource may have partitions (one per calendar), each with a cursor of its own.
 * The generators yield pages; the engine stores each with its checkpoint in one transaction, counts, hashes and sweeps.
 */
export interface SyncResource extends EventResource {
  /** Scopes without which nothing of it is read. Default: none that is known. */
  readonly scopes?: readonly string[];
  /** Wider scopes that do as well as one of `scopes`. */
  readonly widerScopes?: Readonly<Record<string, readonly string[]>>;
  /** The partitions to walk, asked at the start of a run. Default: one, named `''`. One that is not in a complete list is swept. */
  partitions?(context: SyncContext): Promise<PartitionList>;
  /**
   * The records there are; returns whether these were all. `context.checkpoint` is where an interrupted run stopped: go on from there.
   * What a complete walk did not meet is gone and is swept. `context.previous`: the cursor of the run before, where it still counts;
   * `context.again`: it was walked to its end before, so that what is held may be gone by now.
   */
  full(context: SyncContext & { readonly previous?: unknown; readonly again?: boolean }): AsyncGenerator<SyncPage, Extent, void>;
  /**
   * What changed since `context.cursor`; may return what is held by now, in words: it removes nothing. Absent: an incremental run does a full one.
   * @throws IntegrationError `sync_cursor_expired`: the engine does a full run of this partition.
   */
  incremental?(context: SyncContext & { readonly cursor: unknown }): AsyncIterable<SyncPage, Extent | void>;
  /** How the provider is asked to tell of changes, one watch a partition, where that is a call of its own. */
  readonly watch?: WatchFacts;
}

export interface WatchFacts {
  /** It is renewed, or a new one takes its place, this long before it ends, ms. */
  readonly renewBeforeMs: number;
  /** `channelId` and `token` are ours, fresh and never used before; the provider sends notifications to `address`. */
  create(
    context: SyncContext & { readonly channelId: string; readonly token: string; readonly address: string },
  ): Promise<{ remoteId: string; expiresAt: number }>;
  /** Lets it go on until a later time. Absent, or where the provider no longer knows it: a new one takes its place. */
  renew?(context: SyncContext & { readonly channelId: string; readonly remoteId: string }): Promise<{ expiresAt: number }>;
  stop(context: SyncContext & { readonly channelId: string; readonly remoteId: string }): Promise<void>;
}

export interface SyncContext {
  readonly connection: ConnectionRef;
  readonly fetch: Fetch;
  readonly partition: string;
  /** What the last committed page of this very run said; undefined at its beginning. */
  readonly checkpoint: unknown;
  /** Aborted when the run is cancelled, loses its lease or the process stops. */
  readonly signal: AbortSignal;
  /** ms since the epoch. */
  now(): number;
}
