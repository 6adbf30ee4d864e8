import type { Translations } from '../../../languages';
import type { z } from 'zod';
import type { ErrorCode } from '../../../errors';
import type { AppFacts, EndpointFacts, LimitFacts, ProviderAuth, ProviderSync, RetryFacts, WebhookFacts } from '../../contract';
import type { SignatureScheme } from '../signatures/signature-scheme';

/**
 * Where a value stands, or several places of which the first that holds one counts: `/a/b` in the JSON at hand (RFC 6901), `header:x`,
 * `query:x`, `callback:x` (the query with which the browser came back), `token:/x` (the token endpoint's answer), `id_token:/x` (the claims
 * in it), `ask:x` (a field filled in at the connect), `watch:resource` (what the watch is of that a notification belongs to), `origin:/a/b` (the
 * origin of the address that stands there), `=text` (a fixed text).
 */
export type At = string | readonly string[];

/**
 * A provider as data, one file each: from it the engine makes a `Provider` with its auth, sync and webhooks services.
 * Addresses may hold `{name}`: a field of `ask` or `learn`.
 */
export interface PlainProvider {
  /** Lower case, stable: part of addresses, rows and settings (`<KEY>_CLIENT_ID`). */
  readonly key: string;
  /** As people write it. */
  readonly name: string;
  /** The page of its documentation on signing in. */
  readonly docs: string;
  /** When the facts were last compared, and with what. */
  readonly checked: { readonly at: string; readonly against: string };
  /** Base of its API, with a trailing slash. */
  readonly apiBaseUrl: string;
  /** Where an address is a template: the hosts that it may lead to; `*` is one label. Nothing else is ever called. */
  readonly hosts?: readonly string[];
  /** What a person fills in at the connect. */
  readonly ask?: Readonly<Record<string, AskedField>>;
  /** Its words in other languages, by the language's tag and the English text. */
  readonly translations?: Translations;
  /** What is learnt from the callback or the token's answer, kept with the connection. */
  readonly learn?: Readonly<Record<string, At>>;
  readonly oauth2?: PlainOAuth2;
  readonly apiKey?: PlainApiKey;
  /**
   * How it is called as the app itself, by nobody's grant, with `<KEY>_CLIENT_ID` and `<KEY>_CLIENT_SECRET`, or with an organization's own client;
   * by `jwt` with `<KEY>_PRIVATE_KEY`, which is the operator's alone. Absent: it is not. Its `apiBaseUrl` is one for all.
   */
  readonly app?: { readonly by: AppFacts['by'] };
  /** How a call shows its credential. Default: bearer. */
  readonly credential?: PlainCredential;
  /** Sent with every call; `{clientId}` is the app's. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Where the token endpoint's answer has what. Default: RFC 6749, 5.1. */
  readonly token?: { readonly access?: At; readonly refresh?: At; readonly expiresIn?: At; readonly scope?: At; readonly error?: At };
  readonly account: PlainAccount;
  /** Limits by name; every call falls under those that no endpoint names. */
  readonly limits?: Readonly<Record<string, LimitFacts>>;
  readonly endpoints?: readonly EndpointFacts[];
  /** Headers that tell what is left of a limit. Default: `x-ratelimit-*` and `ratelimit-*`. */
  readonly limitHeaders?: { readonly remaining: string; readonly reset: string; readonly as: 's' | 'ms' | 'epoch-s' | 'epoch-ms' };
  readonly retry?: Partial<RetryFacts>;
  /** First match wins; what matches none is read by its HTTP status. */
  readonly faults?: readonly PlainFault[];
  readonly webhooks?: PlainWebhooks;
  /** Why its events are not taken, though it has some: a sentence for the guide. Its changes are found by runs. */
  readonly noEvents?: string;
  readonly resources?: readonly PlainResource[];
  readonly operations?: readonly PlainOperation[];
  /** For what cannot be said as data; each part takes the place of the engine's. */
  readonly code?: PlainCode;
}

export interface AskedField {
  readonly label: string;
  /** What the whole value must match. */
  readonly pattern: RegExp;
  /** Shown where it does not match, and used by the pretend provider. */
  readonly example: string;
  /** Stored with the key, encrypted. Default: kept with the connection, readable. */
  readonly secret?: boolean;
}

export interface PlainOAuth2 {
  /** Where it differs from that of a key. */
  readonly credential?: PlainCredential;
  /**
   * Default `code`. With `client_credentials` a person fills in `clientId` and `clientSecret` of their own, with `login` what `signIn` needs of
   * `ask`; both are posted again when the token ends. How long it lives stands at `token.expiresIn`: `=7200` where the answer does not say.
   */
  readonly grant?: 'code' | 'client_credentials' | 'login';
  /** For `login`: the JSON that is posted to `tokenUrl`; `{name}` in its texts is a field of `ask`, secret ones too. Refused (401, 403): connect anew. */
  readonly signIn?: Readonly<Record<string, unknown>>;
  /** For `code`. */
  readonly authorizeUrl?: string;
  readonly tokenUrl: string;
  readonly revokeUrl?: string;
  readonly issuer?: string;
  readonly scopes?: readonly string[];
  /** Default a space. */
  readonly scopeSeparator?: ' ' | ',';
  /** Whether it takes PKCE (S256). Default false. */
  readonly pkce?: boolean;
  /** Whether it gives refresh tokens. Default false. */
  readonly refresh?: boolean;
  /** Default `body`. */
  readonly clientAuth?: 'body' | 'basic';
  /** Default `form`. */
  readonly tokenBody?: 'form' | 'json';
  readonly authorizeParams?: Readonly<Record<string, string>>;
  /** Further fields of every token call, or others in place of its own (`grant_type`); `{field}` is a field of `ask` that is no secret. */
  readonly tokenParams?: Readonly<Record<string, string>>;
  /** Codes that end a grant, besides `invalid_grant`. */
  readonly refusalCodes?: readonly string[];
  /** Codes that blame the app, besides those of RFC 6749. */
  readonly clientFaultCodes?: readonly string[];
  /** For `code`. */
  readonly installation?: PlainInstallation;
  /** How a token is ended, where it is not RFC 7009 with the client's usual credentials. */
  readonly revoke?: {
    readonly method?: 'POST' | 'DELETE' | 'GET';
    /** `token`: with the token as credential; `app`: the client's id and secret as Basic. */
    readonly as?: 'token' | 'app';
    /** Form or JSON fields; `{accessToken}`, `{refreshToken}`, `{clientId}`, `{clientSecret}` are filled in. */
    readonly body?: Readonly<Record<string, string>>;
    readonly bodyAs?: 'form' | 'json';
  };
}

/** A consent tells who asks; a token is minted for each account on which the app is installed. Needs `app` by `jwt`. */
export interface PlainInstallation {
  /** Posted to, below `apiBaseUrl`; `{field}` is one of `account.several.values`. */
  readonly path: string;
  /** In the answer; `expiresAt` is a date (ISO 8601). */
  readonly token: { readonly access: At; readonly expiresAt: At };
  /**
   * What its refusals mean, besides the provider's `faults`: `needs_reauth` where it is no longer installed, `organization_forbids` where it rests.
   * A 401 is the operator's to mend, whatever is declared. What ends a connection is told by more than a status (`at`), which may be a gate's.
   */
  readonly faults: readonly PlainFault[];
  /** What the app needs at the provider besides its addresses: sentences for the guide. */
  readonly setup: string;
}

export interface PlainApiKey {
  /** Where it differs from that of a token. */
  readonly credential?: PlainCredential;
  /** What a key looks like. Default: 8 to 1,000 printable characters. */
  readonly pattern?: RegExp;
  /** Where a person finds it: one sentence. */
  readonly help: string;
  /** One that matches, for the pretend provider where `pattern` is given. */
  readonly example?: string;
}

export interface PlainCredential {
  readonly in: 'bearer' | 'basic' | 'header' | 'query';
  /** The header or the query's parameter. */
  readonly name?: string;
  /** Before the key in a header, e.g. `Token `. */
  readonly prefix?: string;
  /** For `basic`; `{key}` is the key, `{field}` a field of `ask`. Default: user `{key}`, no password. */
  readonly user?: string;
  readonly password?: string;
  /** Further headers with secrets of their own, e.g. `{ 'dd-application-key': '{appKey}' }`. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PlainAccount {
  /** Below `apiBaseUrl`, or a whole address. Absent: everything is in the token's answer or asked. */
  readonly path?: string;
  readonly method?: 'GET' | 'POST';
  /** JSON, for a POST (GraphQL's query). */
  readonly body?: Readonly<Record<string, unknown>>;
  readonly id: At;
  /** Default: the id. */
  readonly name?: At;
  /** What webhooks call the account. Default: the id. */
  readonly routingKey?: At;
  /**
   * One consent is for several accounts: the list of them in the answer. `id`, `name`, `routingKey` and `values` are looked for in each; each
   * becomes a connection, and all share the consent's token, or have one each (`oauth2.installation`). A list goes on where the `Link` header says so.
   */
  readonly several?: {
    readonly items: string;
    /** Kept with each connection: places of its addresses, for which `learn` is too early. */
    readonly values: Readonly<Record<string, At>>;
    /** Who consented: the path is filled in for the first account. By it their token is known at the next consent. */
    readonly person: { readonly path: string; readonly id: At };
    /**
     * Those that the person may give away, by what they are; all others are left out. Where `path` is absent it must be the person's own
     * (`own`: where its id stands that must be the person's). Default: all.
     */
    readonly administered?: readonly PlainAdministered[];
  };
}

export type PlainAdministered = { readonly at: At; readonly is: string } & (
  | { readonly own: At }
  /** Asked for with the person's token, `values` filled in; the answer must have all of these. Refused or not found: it is not the person's. */
  | { readonly path: string; readonly where: Readonly<Record<string, string>> }
);

export interface PlainFault {
  readonly status?: number;
  readonly at?: At;
  /** The text at `at`; absent: any. */
  readonly is?: string | readonly string[];
  readonly code: ErrorCode;
  readonly detail?: string;
  readonly tokenExpired?: boolean;
  readonly grantEnded?: boolean;
}

export interface PlainWebhooks {
  readonly scheme: SignatureScheme;
  /** The client's secret signs them, so that no other one has to be set. */
  readonly signedByClient?: boolean;
  /** Of the watches of the account, those that an event belongs to, by the provider's ids: it is for their connections alone. */
  readonly watchIds?: string;
  /** Types by which the provider speaks of a watch itself. */
  readonly watches?: Readonly<Partial<Record<'renew' | 'ended' | 'missed', readonly string[]>>>;
  /** How the address is proven to be ours, before anything is delivered. */
  readonly challenge?: {
    readonly method: 'GET' | 'POST';
    readonly at: At;
    /** `echo`: the value as text; `json`: `{ [name]: value }`; `hmac`: the value's HMAC with the secret, `sha256=` and base64, as JSON. */
    readonly reply: 'echo' | 'json' | 'hmac' | 'header';
    readonly name?: string;
    /** For a GET: the parameter that must be one of the webhook secrets. */
    readonly token?: string;
  };
  /** Where the very first delivery, which is unsigned and says nothing else, has the secret with which all others will be signed: shown to the operator. */
  readonly tellsSecret?: `/${string}`;
  /** The list of events in a delivery. Default: the delivery is one event. */
  readonly items?: string;
  /** Absent: the hash of the body. `all`: where one value alone does not tell an event from another. */
  readonly eventId?: At | { readonly all: readonly At[] };
  /** Joined by a full stop. */
  readonly type: readonly At[];
  readonly routingKey?: At;
  /** Objects of these events keep their order. */
  readonly objectId?: At;
  /** The object's time or counter. */
  readonly objectVersion?: At;
  readonly records?: readonly PlainEventRecords[];
  /** Types that mean: the access has ended. */
  readonly ended?: readonly string[];
}

/** An event that carries the object of a synced resource, or tells of it. */
export interface PlainEventRecords {
  /** Types, `*` at the end for all that begin so. */
  readonly types: readonly string[];
  readonly resource: string;
  /** The object; absent: the event asks for a sync, unless it tells that the object of `id` is gone. */
  readonly at?: string;
  /** Its id, where the object is not in the event. */
  readonly id?: At;
  /** Types that mean it is gone. */
  readonly gone?: readonly string[];
  /** What such an event says where only a part of the object is gone: then it asks for a sync. */
  readonly goneInPart?: { readonly at: At; readonly is: string };
  /** In the event, what the object hangs on, where the object itself does not say it. */
  readonly partOf?: At;
}

/**
 * What a list holds of all there is. `whole`: everything, however old, archived or closed it is, so that what is missing there is gone, and is swept.
 * `wholeWith`: the same, where all these scopes were consented to; with fewer, or with a pasted key of which they are not known, it leaves out what
 * `otherwise` says. `window`: the newest, or so many; `filtered`: some kinds are left out. Each says in a sentence what is left out, for the person to
 * read; then nothing is ever taken for gone because the list lacks it.
 */
export type PlainExtent =
  | 'whole'
  | { readonly wholeWith: readonly string[]; readonly otherwise: string }
  | { readonly window: string }
  | { readonly filtered: string };

export interface PlainResource {
  readonly name: string;
  readonly label: string;
  /**
   * What a record has, for whoever reads it: of the fields that its reference promises those that matter; what it does not name is there as well.
   * Default: the id, and the version where there is one.
   */
  readonly shape?: z.ZodObject;
  /** Has no default: look in the provider's reference for what its list leaves out unless it is asked for. */
  readonly extent: PlainExtent;
  /** What an answer has (`at`) that leaves out some of an otherwise whole list, and what that is, in a sentence. */
  readonly partial?: { readonly at: At; readonly why: string };
  /** Without which nothing of it is read. */
  readonly scopes?: readonly string[];
  /** Wider scopes that do as well as one of `scopes`. */
  readonly widerScopes?: Readonly<Record<string, readonly string[]>>;
  /** Below `apiBaseUrl`. */
  readonly path: string;
  readonly method?: 'GET' | 'POST';
  readonly body?: Readonly<Record<string, unknown>>;
  /** Where the list stands; default: the answer itself. */
  readonly items?: string;
  /** Default `/id`. */
  readonly id?: At;
  /** A time or a counter; greater is newer. */
  readonly version?: At;
  readonly deletedWhen?: { readonly at: At; readonly is: string };
  /** What it hangs on: where that record is deleted it goes with it, of which the provider tells nothing more. */
  readonly partOf?: { readonly resource: string; readonly at: At };
  readonly query?: Readonly<Record<string, string>>;
  readonly page: PlainPages;
  /** How the provider is asked to tell of its changes, where that is a call of its own. */
  readonly watch?: PlainWatch;
  /** How what changed since a time is asked for. Absent: every run walks all. */
  readonly since?: PlainSince | PlainNewestFirst;
}

/** A subscription, which ends by itself unless it is renewed in time. */
export interface PlainWatch {
  /** `{address}`, `{channel}`, `{token}` (at the most 43 characters) and `{expires}` (ISO 8601) are filled in. */
  readonly create: PlainWatchCall;
  /** In the answer. */
  readonly id: At;
  /** In the answer, where a refusal comes as a success. */
  readonly refused?: At;
  /** In the answers of `create` and `renew`: when it ends. Default: after `hours`. */
  readonly expires?: At;
  /** How long it lasts at the most. */
  readonly hours: number;
  /** It is renewed so long before its end. */
  readonly renewBeforeHours: number;
  /** `{id}` is the provider's, `{#id}` the same as a number. Absent: a new one takes its place. */
  readonly renew?: PlainWatchCall;
  readonly stop: PlainWatchCall;
}

export interface PlainWatchCall {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `apiBaseUrl`. */
  readonly path: string;
  /** JSON. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** The time is told: in the query, or in the body where `param` is a pointer (`/variables/since`). */
export interface PlainSince {
  readonly param: string;
  /** `minutes-ago`: how many, where a date would be read in a time zone that nobody told. */
  readonly as: 'iso' | 's' | 'ms' | 'minutes-ago';
  /** What is sent, with `{since}` for the time, e.g. `updated >= -{since}m`. Default: the time alone. */
  readonly text?: string;
  /** Added to the resource's. */
  readonly query?: Readonly<Record<string, string>>;
  /** What of the resource differs in this call. */
  readonly by?: PlainOtherCall;
  /** Where the answer tells how many there are, and how many of them can be had: where there are more, everything is walked instead. */
  readonly most?: { readonly at: At; readonly count: number };
}

/** No time can be told, but the list can be asked for with what changed last at its beginning: it is read as far as that. Needs `version`, a time. */
export interface PlainNewestFirst {
  readonly newestFirst: PlainOtherCall;
}

export type PlainOtherCall = Partial<Pick<PlainResource, 'path' | 'method' | 'query' | 'body' | 'items' | 'page'>>;

export type PlainPages =
  | { readonly by: 'none' }
  | { readonly by: 'link' }
  /**
   * `next` holds a cursor for `param`, or a whole address where `param` is absent. In the body `param` may be a pointer. `more`: true where
   * there is more, `done`: true where there is none, whatever `next` holds.
   */
  | {
      readonly by: 'cursor';
      readonly param?: string;
      readonly next: At;
      readonly more?: At;
      readonly done?: At;
      readonly in?: 'query' | 'body';
    }
  | {
      readonly by: 'offset' | 'number';
      readonly param: string;
      readonly size: number;
      readonly sizeParam?: string;
      readonly first?: number;
    };

/**
 * An operation that is one request. The fields of its input go where the path names them (`{field}`), the rest into the query of a GET or
 * DELETE and into the body of all else.
 */
export interface PlainOperation {
  /** Noun and verb, e.g. `issues.create`. */
  readonly name: string;
  /** Two or three words for a button. */
  readonly title: string;
  /** One or two sentences: what it does. */
  readonly description: string;
  readonly effect: 'read' | 'write' | 'destructive';
  /** All of them are needed. */
  readonly scopes?: readonly string[];
  /** Wider scopes that do as well as one of `scopes`. */
  readonly widerScopes?: Readonly<Record<string, readonly string[]>>;
  /** Whether it makes something new: it is answered with 201. Default false. */
  readonly makes?: boolean;
  /** Done twice it is the same. Default false. */
  readonly idempotent?: boolean;
  /**
   * Where the provider honours a key that makes a repetition safe: a header (`header:Idempotency-Key`) or a field of the body (`/idempotency_key`).
   * Default `none`: after a doubtful end it is not repeated.
   */
  readonly repeat?: 'none' | `header:${string}` | `/${string}`;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `apiBaseUrl`. */
  readonly path: string;
  /** Strict, its examples by `meta({ examples })` where they cannot be guessed. */
  readonly input: z.ZodObject;
  readonly body?: {
    /** Where the fields stand in it, e.g. `/variables`. Default: at the top. */
    readonly at?: string;
    /** What stands beside them, e.g. GraphQL's `query`. */
    readonly with?: Readonly<Record<string, unknown>>;
    /** Default `json`. */
    readonly as?: 'json' | 'form';
  };
  /** What is handed on of the answer; fields that it does not name are left out. `z.object({})`: nothing is. */
  readonly output: z.ZodObject;
  /** Where it stands in the answer. Default: the answer itself. */
  readonly at?: string;
}

export interface PlainCode {
  readonly auth?: Partial<ProviderAuth>;
  readonly webhooks?: Partial<WebhookFacts>;
  readonly sync?: ProviderSync;
}
