import type { StopSignal } from '../../clock';
import type { ErrorCode, IntegrationError } from '../../errors';
import type { ConnectionRef, Provider } from '../contract';
import type { Endpoint } from './endpoint-matcher';
import type { OutboundRequest } from './outbound-request';

export interface CallOptions {
  /** Ends the call, whatever it waits for. */
  readonly signal?: AbortSignal;
  /** Told of each wait for another try, before it begins: why, and how long, ms. Must not throw. */
  readonly onWait?: (error: IntegrationError, waitMs: number) => void;
  /** Total time with all tries and waits, ms. Default: the provider's (`HttpFacts.deadlineMs`), else 30 000. */
  readonly deadlineMs?: number;
  /** Which of the connection's tokens goes with it. Default: the connection's only or first one. */
  readonly tokenKind?: string;
  /** Sent in the provider's idempotency header where the request has none. Stored before the first try by who acts. */
  readonly idempotencyKey?: string;
  /** Name in the request log, e.g. `sync.channels`. */
  readonly operation?: string;
  /** Whether it may be repeated when it is not certain that it did not happen. Default: as the endpoint's facts and the method say. */
  readonly repeatable?: boolean;
  /** Hand the provider's failing answers through instead of throwing. Default false. */
  readonly passThrough?: boolean;
  /** Take a successful answer of any kind. Default: as `passThrough`; else one that is not JSON is `provider_bad_answer` where JSON was asked for. */
  readonly anyType?: boolean;
  /** Hand the body through as it comes, up to the cap. Default false: it is read to the end and checked first. */
  readonly stream?: boolean;
}

/** What became of one try, in the words of the request log. */
export type Outcome =
  | 'ok'
  | 'rejected'
  | 'unauthorized'
  | 'rate_limited'
  | 'server_error'
  | 'network_error'
  | 'timeout'
  | 'bad_answer'
  | 'cancelled'
  | 'not_sent';

/** One request that went out. */
export interface Try {
  readonly attempt: number;
  readonly at: number;
  readonly durationMs: number;
  readonly outcome: Outcome;
  readonly status?: number;
  /** Ours. */
  readonly errorCode?: ErrorCode;
  /** The provider's own. */
  readonly providerCode?: string;
  /** The provider's request id. */
  readonly requestId?: string;
}

/** The app in whose name a call goes out that is for no connection. */
export interface CallingApp {
  readonly clientId: string;
  /** The organization whose own it is. Absent: the operator's. */
  readonly tenant?: string;
}

/** One call on its way through the steps. */
export interface Call {
  readonly provider: Provider;
  readonly connection?: ConnectionRef;
  /** Where it is made as the app itself. */
  readonly app?: CallingApp;
  /** A token call goes round the auth step and has a circuit of its own. */
  readonly purpose: 'api' | 'token';
  readonly request: OutboundRequest;
  readonly endpoint: Endpoint;
  readonly options: CallOptions;
  /** May it be sent again when it is not certain that it did not happen? */
  readonly repeatable: boolean;
  /** What the caller may end the call with. */
  readonly callerSignals: readonly AbortSignal[];
  /** Aborted at the deadline and by the caller. */
  readonly signal: StopSignal;
  /** ms since the epoch; nothing waits past it. */
  readonly deadlineAt: number;
  /** From 1. */
  readonly attempt: number;
  /** Shared by all tries of the call. */
  readonly record: CallRecord;
}

export interface CallRecord {
  readonly tries: Try[];
  /** Settles when the body that was handed through has ended; absent where the body was read before. */
  bodyEnd?: Promise<void>;
}

/**
 * Whom the provider counts the call for: the connection's account, or the app itself. Undefined where it is neither's, as of a connect.
 * The id of an organization's own app is what it says it is: another that says the same is not slowed down with it.
 */
export function accountOf({ connection, app }: Pick<Call, 'connection' | 'app'>): string | undefined {
  if (connection) return connection.accountId;
  return app && `app:${app.clientId}${app.tenant === undefined ? '' : ` of ${app.tenant}`}`;
}
