import { Readable } from 'node:stream';
import type { Agent, Dispatcher } from 'undici';
import type { Clock } from '../../clock';
import { IntegrationError } from '../../errors';
import { DEFAULT_MAX_RESPONSE_BYTES, decoded, expectsJson, readAll, readAnswer, toResponse } from './answer';
import type { Call, Outcome } from './call';
import { exchange } from './buffered-exchange';
import { createAgent, type AgentOptions } from './egress-guard';
import { networkFault } from './network-fault';
import { AnswerError, faultOf, requestIdOf } from './provider-fault';

export const TRANSPORT_DEFAULTS: AgentOptions = {
  guarded: false,
  connections: 64,
  connectTimeoutMs: 5_000,
  headersTimeoutMs: 60_000,
  bodyTimeoutMs: 30_000,
};

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

  async send(call: Call): Promise<Response> {
    const at = this.clock.now();
    const note = (outcome: Outcome, facts: { status?: number; errorCode?: string; requestId?: string } = {}) =>
      call.record.tries.push({
        attempt: call.record.tries.length + 1,
        at,
        durationMs: Math.max(0, this.clock.now() - at),
        outcome,
        ...facts,
      });
    let received: Received | undefined;
    try {
      received = await this.request(call, call.request.url);
      const response = await this.read(call, received);
      note('ok', { status: received.status, requestId: requestIdOf(received.headers) });
      return response;
    } catch (cause) {
      const error = this.inOurWords(call, cause);
      note(outcomeOf(error), {
        status: received?.status,
        errorCode: error.providerCode ?? error.code,
        requestId: received && requestIdOf(received.headers),
      });
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.made?.destroy();
  }

  private get agent(): Agent {
    return (this.made ??= createAgent(this.options));
  }

  private async request(call: Call, url: URL, redirects = 0): Promise<Received> {
    const { method, headers, body } = call.request;
    if (!headers.has('accept-encoding')) headers.set('accept-encoding', 'gzip, deflate, br');
    const request = {
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers,
      body: body ?? null,
    };
    const received = await (call.options.stream ? this.open(call, request) : this.exchange(call, request));
    const next = redirects < MAX_REDIRECTS ? sameOriginRedirect(received, method, url) : undefined;
    if (!next) return received;
    if (received.body instanceof Readable) received.body.destroy();
    return this.request(call, next, redirects + 1);
  }

  private async exchange(call: Call, request: Dispatcher.DispatchOptions): Promise<Received> {
    const options = { provider: call.provider.key, maxBytes: maxBytesOf(call), signal: call.signal };
    const { status, headers, body } = await exchange(this.agent, request, options);
    return { status, headers: headersOf(headers), body };
  }

  private async open(call: Call, request: Dispatcher.RequestOptions): Promise<Received> {
    const answer = await this.agent.request({ ...request, signal: call.signal });
    // A failure that comes after nobody listens any more must not end the process.
    answer.body.on('error', () => undefined);
    return { status: answer.statusCode, headers: headersOf(answer.headers), body: answer.body };
  }

  private async read(call: Call, { status, headers, body }: Received): Promise<Response> {
    const provider = call.provider.key;
    const options = { provider, maxBytes: maxBytesOf(call) };
    if (body instanceof Readable && status < 300 && !isSmallJson(headers)) {
      const source = decoded(body, headers, options);
      call.record.bodyEnd = new Promise((resolve) => source.once('close', resolve));
      source.on('error', () => undefined);
      return toResponse(status, headers, Readable.toWeb(source) as ReadableStream);
    }
    const bytes = await readAll(body, headers, options);
    const strict = !call.options.passThrough && expectsJson(call.request.headers);
    const answer = readAnswer(status, headers, bytes, strict, provider);
    const fault = faultOf(call.provider, answer, this.clock.now());
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

function maxBytesOf({ provider }: Call): number {
  return provider.http.maxResponseBytes ?? DEFAULT_MAX_RESPONSE_BYTES;
}

/** Only to the same origin, and only for what has no body: credentials go nowhere else. */
function sameOriginRedirect({ status, headers }: Received, method: string, from: URL): URL | undefined {
  const location = headers.get('location');
  if (!location || ![301, 302, 303, 307, 308].includes(status) || (method !== 'GET' && method !== 'HEAD')) return undefined;
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  return to?.origin === from.origin ? to : undefined;
}

function isSmallJson(headers: Headers): boolean {
  const length = headers.get('content-length');
  return length !== null && Number(length) <= PEEK_BYTES && (headers.get('content-type') ?? '').includes('json');
}

function headersOf(raw: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(raw)) {
    if (Array.isArray(value)) for (const each of value) headers.append(name, each);
    else if (value !== undefined) headers.set(name, value);
  }
  return headers;
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
