/** Types shared by the parts of the sandbox. */
/** Lower case, as in the service. */
export type ProviderName = string;

export type Json = Record<string, unknown>;

export interface SandboxOptions {
  /** Port for each pretend provider; 0 (the default) takes a free one. */
  ports?: Partial<Record<ProviderName | 'control', number>>;
  /** Origin that webhooks go to (`http://127.0.0.1:3000`); several, separated by commas, are used in turn. */
  webhookTarget?: string;
  /** Every ledger entry is also appended to this file, one JSON object a line. */
  ledgerFile?: string;
  /** Secrets, accounts, data and token hashes are kept here over restarts. */
  stateFile?: string;
  /** What deliveries are signed with, by provider, instead of a secret that was made here; it is not kept in the state file. */
  webhookSecrets?: Partial<Record<ProviderName, string>>;
  /** Life of access tokens in seconds, by provider; its own by default. */
  accessTokenTtlS?: Partial<Record<ProviderName, number>>;
  /** Whether Slack tokens expire and rotate (default true). */
  slackRotation?: boolean;
  /** Answer consent pages without a person: `allow` or `deny`. */
  autoConsent?: 'allow' | 'deny';
  /** Exact redirect addresses that are registered; unset accepts any http(s) address. */
  redirectUris?: string[];
  /** Waits before the second, third ... delivery of a webhook, in ms (default 50, 200, 1000). */
  webhookRetryMs?: number[];
  /** Webhook deliveries in flight at once (default 16). */
  webhookConcurrency?: number;
  /** Clock in ms since 1970 (default `Date.now`). */
  now?: () => number;
  /** Seed of the generated data (default 1). */
  seed?: number;
}

/** What a handler sees of a request. */
export interface SandboxRequest {
  method: string;
  path: string;
  params: Record<string, string>;
  query: URLSearchParams;
  headers: Record<string, string>;
  rawBody: Buffer;
  /** Form or JSON body; an empty object when there is none. */
  body: Json;
  endpoint: string;
  /** Waits out the latency that a fault asks for, at the point where the work would be done. */
  delay: () => Promise<void>;
  /** Small facts that go into the ledger entry of this request. */
  note: (facts: Json) => void;
}

export interface SandboxResponse {
  status: number;
  headers?: Record<string, string>;
  /** An object is sent as JSON; a string as it is. */
  body?: unknown;
}

export interface Route {
  method: string;
  /** `/v1/customers/:id`; the last segment may be `:name+` to take the rest. */
  pattern: string;
  /** Name in the ledger and in faults. */
  endpoint: string;
  handle: (request: SandboxRequest) => SandboxResponse | Promise<SandboxResponse>;
  /** The handler calls `delay()` itself. */
  delaysItself?: boolean;
}

/** Who a request says it is, for the ledger and for matching faults. */
export interface Principal {
  account?: string;
  token?: string;
}

/** What differs between the providers at the HTTP frame. */
export interface ProviderSurface {
  name: ProviderName;
  routes: Route[];
  parseForm: (raw: string) => Json;
  identify: (request: SandboxRequest) => Principal;
  /** The provider's own body for an HTTP error status. */
  errorBody: (status: number, request: SandboxRequest) => unknown;
  rateLimited: (request: SandboxRequest, status?: number) => SandboxResponse;
  refuseRefresh: () => SandboxResponse;
  notFound: (request: SandboxRequest) => SandboxResponse;
  /** Headers of every answer (request ids and the like). */
  commonHeaders?: () => Record<string, string>;
}

/** Ways in which a delivery may be wrong. */
export type Forge = 'bad-signature' | 'no-signature' | 'old-timestamp' | 'future-timestamp' | 'altered-body';
export const FORGERIES: readonly Forge[] = ['bad-signature', 'no-signature', 'old-timestamp', 'future-timestamp', 'altered-body'];
