import { setMaxListeners } from 'node:events';
import { IntegrationError } from '../../errors';
import type { ConnectionRef, Fetch, Provider } from '../contract';
import type { Call, CallingApp, CallOptions } from './call';
import { CallSignal } from './call-signal';
import { matchEndpoint } from './endpoint-matcher';
import { compose, type Interceptor, type Next } from './interceptor';
import { readOutboundRequest, type OutboundRequest } from './outbound-request';
import { AnswerError } from './answer-error';
import { toResponse } from './transport/answer';

/** Until the deadline step gives the call one of its own. */
const NEVER = new CallSignal();
const REPEATABLE_METHODS = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);

export interface ChainParts {
  /** From the outside in: log, deadline, retry, circuit, rate limit. */
  readonly outer: readonly Interceptor[];
  /** Between auth and transport: the bulkhead. */
  readonly inner: readonly Interceptor[];
  readonly transport: Next;
}

export interface ChainTarget {
  readonly provider: Provider;
  readonly connection?: ConnectionRef;
  readonly app?: CallingApp;
  readonly purpose: 'api' | 'token';
  readonly auth: Interceptor;
  readonly options: CallOptions;
}

/** Turns the steps into a `fetch`. */
export class GovernedChain {
  /** The steps put together once for each way to authenticate, of which there are few. */
  private readonly composed = new WeakMap<Interceptor, Next>();

  constructor(private readonly parts: ChainParts) {}

  fetchFor({ provider, connection, app, purpose, auth, options }: ChainTarget): Fetch {
    const run = this.stepsWith(auth);
    const allowed = originsOf(provider, purpose);
    const send = (request: OutboundRequest, init: RequestInit | undefined): Promise<Response> => {
      if (!allowed.has(request.url.origin))
        throw new IntegrationError('destination_refused', { provider: provider.key, notExecuted: true });
      const endpoint = matchEndpoint(provider.http, request.method, request.url.pathname);
      if (purpose === 'api') addIdempotencyKey(request, provider, options);
      const call: Call = {
        provider,
        ...(connection && { connection }),
        ...(app && { app }),
        purpose,
        request,
        endpoint,
        options,
        repeatable: isRepeatable(request, provider, options.repeatable ?? endpoint.facts?.repeatable),
        callerSignals: callerSignals(options.signal, init?.signal),
        signal: NEVER,
        deadlineAt: Number.POSITIVE_INFINITY,
        attempt: 1,
        record: { tries: [] },
      };
      if (!options.passThrough) return run(call);
      return run(call).catch((error: unknown) => {
        const answer = answerToPassOn(error, purpose);
        if (answer) return answer;
        throw error;
      });
    };
    return (input, init) => {
      try {
        const request = readOutboundRequest(input as string | URL | Request, init);
        return request instanceof Promise ? request.then((read) => send(read, init)) : send(request, init);
      } catch (error) {
        return Promise.reject(error as Error);
      }
    };
  }

  private stepsWith(auth: Interceptor): Next {
    const { outer, inner, transport } = this.parts;
    let steps = this.composed.get(auth);
    if (!steps) this.composed.set(auth, (steps = compose([...outer, auth, ...inner], transport)));
    return steps;
  }
}

const origins = { api: new WeakMap<Provider, ReadonlySet<string>>(), token: new WeakMap<Provider, ReadonlySet<string>>() };

/** Credentials go to the provider's own origins only. */
function originsOf(provider: Provider, purpose: 'api' | 'token'): ReadonlySet<string> {
  const known = origins[purpose].get(provider);
  if (known) return known;
  const { oauth2 } = provider;
  const addresses = [provider.apiBaseUrl, ...(provider.otherOrigins ?? [])];
  if (purpose === 'token' && oauth2) addresses.push(oauth2.tokenUrl, oauth2.revokeUrl ?? '', oauth2.userinfoUrl ?? '');
  const found = new Set(addresses.filter((address) => URL.canParse(address)).map((address) => new URL(address).origin));
  origins[purpose].set(provider, found);
  return found;
}

function addIdempotencyKey(request: OutboundRequest, provider: Provider, { idempotencyKey }: CallOptions): void {
  const header = provider.http.retry?.idempotencyHeader;
  if (!header || idempotencyKey === undefined || REPEATABLE_METHODS.has(request.method) || request.headers.has(header)) return;
  request.headers.set(header, idempotencyKey);
}

function isRepeatable({ method, headers }: OutboundRequest, provider: Provider, declared: boolean | undefined): boolean {
  const header = provider.http.retry?.idempotencyHeader;
  return declared ?? (REPEATABLE_METHODS.has(method) || (header !== undefined && headers.has(header)));
}

/**
 * The provider's own answer in a failure, for who wants it as it came. An ended grant is told in our words even then: a foreign 401 says nothing
 * about the caller.
 */
export function answerToPassOn(error: unknown, purpose: 'api' | 'token' = 'api'): Response | undefined {
  if (!(error instanceof AnswerError) || error.code === 'provider_bad_answer') return undefined;
  if (purpose === 'api' && (error.tokenExpired || error.grantEnded)) return undefined;
  const { status, headers, body } = error.answer;
  return toResponse(status, new Headers(headers), body);
}

/** One signal may stand for a whole run with many calls at once. */
function callerSignals(...signals: (AbortSignal | null | undefined)[]): readonly AbortSignal[] {
  const given = signals.filter((signal) => signal != null);
  if (given.length > 0) setMaxListeners(0, ...given);
  return given;
}
