import { Readable } from 'node:stream';
import type { Agent, Dispatcher } from 'undici';
import type { Clock } from '../../../clock';
import { IntegrationError } from '../../../errors';
import { DEFAULT_MAX_RESPONSE_BYTES, decoded, expectsJson, readAll, readAnswer, toResponse } from './answer';
import { headersOf } from './answer-headers';
import type { Call, Outcome } from '../call';
import { exchange } from './buffered-exchange';
import { createAgent, type AgentOptions } from './egress-guard';
import { networkFault } from './network-fault';
import { AnswerError } from '../answer-error';
import { faultOf, type Asked, requestIdOf } from '../provider-fault';

export const TRANSPORT_DEFAULTS: AgentOptions = {
  guarded: false,
  connections: 64,
  connectTimeoutMs: 5_000,
  headersTimeoutMs: 60_000,
  bodyTimeoutMs: 30_000,
};

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MAX_REDIRECTS = 3;
/** A JSON answer up to this is read and checked even where the body is to be handed through: it may be a refusal. */
const PEEK_BYTES = 64 * 1024;

interface Received {
  readonly status: number;
  readonly headers: Headers;
  /** A stream where it may be handed through as it comes. */
  readonly body: Buffer | Readable;
}

/** The end of the way out: one request, its answer read, checked and put into our words. */
export class Transport {
  private made: Agent | undefined;
  private readonly options: AgentOptions;

  constructor(
    private readonly clock: Clock,
    options: Partial<AgentOptions> = {},
  ) {
    this.options = { ...TRANSPORT_DEFAULTS, ...options };
  }

  send(call: Call): Promise<Response> {
    const at = this.clock.now();
    let received: Received | undefined;
    const note = (outcome: Outcome, error?: IntegrationError) =>
      call.record.tries.push({
        attempt: call.record.tries.length + 1,
        at,
        durationMs: Math.max(0, this.clock.now() - at),
        outcome,
        status: received?.status,
        errorCode: error?.code,
        providerCode: error?.providerCode,
        requestId: received && requestIdOf(received.headers),
      });
    let redirects = 0;
    const follow = (url: URL): Promise<Response> =>
      this.request(call, url).then((answer) => {
        const next = redirects++ < MAX_REDIRECTS ? redirectOf(call, answer, url) : undefined;
        if (next) return follow(next);
        received = answer;
        return this.read(call, answer);
      });
    return follow(call.request.url).then(
      (response) => {
        note('ok');
        return response;
      },
      (cause: unknown) => {
        const error = this.inOurWords(call, cause);
        note(outcomeOf(error), error);
        throw error;
      },
    );
  }

  async close(): Promise<void> {
    await this.made?.destroy();
  }

  private get agent(): Agent {
    return (this.made ??= createAgent(this.options));
  }

  private request(call: Call, url: URL): Promise<Received> {
    const { method, headers, body } = call.request;
    if (!headers.has('accept-encoding')) headers.set('accept-encoding', 'gzip, deflate, br');
    const request = {
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers,
      body: body ?? null,
    };
    return call.options.stream ? this.open(call, request) : this.exchange(call, request);
  }

  private exchange(call: Call, request: Dispatcher.DispatchOptions): Promise<Received> {
    return exchange(this.agent, request, { provider: call.provider.key, maxBytes: maxBytesOf(call), signal: call.signal });
  }

  private async open(call: Call, request: Dispatcher.RequestOptions): Promise<Received> {
    const answer = await this.agent.request({ ...request, signal: call.signal });
    // A failure that comes after nobody listens any more must not end the process.
    answer.body.on('error', () => undefined);
    return { status: answer.statusCode, headers: headersOf(answer.headers), body: answer.body };
  }

  private read(call: Call, { status, headers, body }: Received): Response | Promise<Response> {
    const options = { provider: call.provider.key, maxBytes: maxBytesOf(call) };
    if (body instanceof Readable && status < 300 && !isSmallJson(headers)) {
      const source = decoded(body, headers, options);
      call.record.bodyEnd = new Promise((resolve) => source.once('close', resolve));
      source.on('error', () => undefined);
      return toResponse(status, headers, Readable.toWeb(source) as ReadableStream);
    }
    const bytes = readAll(body, headers, options);
    return bytes instanceof Promise
      ? bytes.then((all) => this.checked(call, status, headers, all))
      : this.checked(call, status, headers, bytes);
  }

  private checked(call: Call, status: number, headers: Headers, bytes: Buffer): Response {
    const { passThrough, anyType = passThrough } = call.options;
    const strict = !anyType && expectsJson(call.request.headers);
    const answer = readAnswer(status, headers, bytes, strict, call.provider.key);
    const asked = { authType: call.connection?.authType, step: stepOf(call) };
    const fault = faultOf(call.provider, answer, this.clock.now(), asked);
    if (fault) throw fault;
    return toResponse(status, headers, bytes, answer.json);
  }

  private inOurWords(call: Call, cause: unknown): IntegrationError {
    if (cause instanceof IntegrationError) {
      if (cause.code !== 'provider_timeout' && cause.code !== 'cancelled') return cause;
      if (cause !== call.signal.reason) return cause;
    }
    if (call.signal.aborted) {
      const reason: unknown = call.signal.reason;
      const code = reason instanceof IntegrationError ? reason.code : 'cancelled';
      return new IntegrationError(code, { provider: call.provider.key, cause: reason });
    }
    return networkFault(call.provider.key, cause);
  }
}

const STEPS: Readonly<Record<string, Asked['step']>> = { 'oauth.refresh': 'refresh', 'oauth.exchange': 'exchange', 'oauth.mint': 'mint' };

function stepOf({ purpose, options: { operation = '' } }: Call): Asked['step'] {
  return purpose === 'token' ? STEPS[operation] : undefined;
}

function maxBytesOf({ provider }: Call): number {
  return provider.http.maxResponseBytes ?? DEFAULT_MAX_RESPONSE_BYTES;
}

/** Only to the same origin, and only for what has no body: credentials go nowhere else. */
function redirectOf({ request: { method } }: Call, { status, headers, body }: Received, from: URL): URL | undefined {
  const location = REDIRECTS.has(status) ? headers.get('location') : null;
  if (!location || (method !== 'GET' && method !== 'HEAD')) return undefined;
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (to?.origin !== from.origin) return undefined;
  if (body instanceof Readable) body.destroy();
  return to;
}

function isSmallJson(headers: Headers): boolean {
  const length = headers.get('content-length');
  return length !== null && Number(length) <= PEEK_BYTES && (headers.get('content-type') ?? '').includes('json');
}

function outcomeOf(error: IntegrationError): Outcome {
  if (error instanceof AnswerError) {
    if (error.tokenExpired || error.grantEnded) return 'unauthorized';
    if (error.code === 'provider_rate_limited') return 'rate_limited';
    if (error.code === 'provider_bad_answer') return 'bad_answer';
    return (error.providerStatus ?? 0) >= 500 || error.code === 'provider_unavailable' ? 'server_error' : 'rejected';
  }
  if (error.code === 'cancelled') return 'cancelled';
  if (error.code === 'provider_timeout') return 'timeout';
  return error.code === 'provider_bad_answer' || error.code === 'response_too_large' ? 'bad_answer' : 'network_error';
}
