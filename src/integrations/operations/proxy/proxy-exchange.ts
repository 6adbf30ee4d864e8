import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ReadableStream as WebReadableStream } from 'node:stream/web';
import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import { IntegrationError } from '../../../errors';
import type { Principal } from '../../../http-api';
import type { Fetch, Provider } from '../../contract';
import { answerToPassOn, type CallOptions } from '../../outbound';
import type { ExecutionAnswer } from '../execution';
import { endingOf, knownFailure } from '../execution-outcome';
import { ExecutionService } from '../execution.service';
import { proxyRequestHeaders, proxyResponseHeaders, type IncomingHeaders } from './proxy-headers';
import { assertAllowedThroughProxy, type CallsAs, type ProxiedRequest } from './proxy-policy';
import { proxyTarget } from './proxy-target';

export interface IncomingCall {
  readonly method: string;
  /** Path and query of the request line. */
  readonly url: string;
  readonly headers: IncomingHeaders;
  readonly body?: Buffer;
  readonly idempotencyKey?: string;
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal;
}

export interface ProxiedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | Readable | null;
  /** The stored answer of an earlier request. */
  readonly replayed: boolean;
}

/** In whose name a proxied call goes out, and how. */
export interface WayOut {
  readonly connection: { readonly provider: string; readonly id?: string };
  /** Its name in the request log and of its kept outcomes. */
  readonly operation: string;
  /** What beside the request makes two calls the same one, e.g. the app. */
  readonly within?: readonly string[];
  fetchFor(options: CallOptions): Fetch;
}

/** As it is stored. */
interface KeptAnswer {
  readonly headers: Readonly<Record<string, string>>;
  /** Null: too large to be kept. */
  readonly base64: string | null;
}

/** Largest answer that is kept for a repetition, bytes. */
const MAX_KEPT_BYTES = 1024 * 1024;

/** What every proxied call goes through, whoever's name it is made in: what may be called, and once only where a key is given. */
@Injectable()
export class ProxyExchange {
  constructor(
    private readonly executions: ExecutionService,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** @throws IntegrationError `proxy_not_allowed`, `destination_refused` */
  allowed(provider: Provider, call: IncomingCall, as: CallsAs): ProxiedRequest {
    const request = {
      method: call.method,
      target: proxyTarget(call.url, provider.apiBaseUrl),
      headers: proxyRequestHeaders(call.headers),
      ...(call.body && { body: call.body }),
    };
    const { proxy, proxyAnyFor } = this.settings;
    assertAllowedThroughProxy(request, provider.http, proxy === 'declared' && proxyAnyFor.includes(provider.key) ? 'any' : proxy, as);
    return request;
  }

  /** @throws IntegrationError from the call; with a key those of `ExecutionService.run` too */
  send(caller: Principal, way: WayOut, request: ProxiedRequest, call: IncomingCall): Promise<ProxiedAnswer> {
    const { idempotencyKey, signal } = call;
    return idempotencyKey !== undefined && changes(call)
      ? this.once(caller, way, request, idempotencyKey)
      : passedThrough(way, request, signal);
  }

  /** Stored before it is sent, and carried to its end even where the caller leaves. */
  private async once(caller: Principal, way: WayOut, request: ProxiedRequest, key: string): Promise<ProxiedAnswer> {
    let fresh: Buffer | undefined;
    const execute = async (providerKey: string): Promise<ExecutionAnswer> => {
      const response = await answerTo(way, request, providerKey);
      const body = Buffer.from(await response.arrayBuffer());
      fresh = body;
      const base64 = body.byteLength > MAX_KEPT_BYTES ? null : body.toString('base64');
      return { status: response.status, body: { headers: proxyResponseHeaders(response.headers), base64 } satisfies KeptAnswer };
    };
    const { connection, operation, within = [] } = way;
    const { status, body, replayed } = await this.executions.run({
      caller,
      connection,
      route: operation,
      body: [...within, ...fingerprintOf(request)],
      idempotencyKey: key,
      execute: ({ providerKey }) => execute(providerKey),
    });
    const { headers, base64 } = body as KeptAnswer;
    if (fresh === undefined && base64 === null) throw notKept(connection.provider);
    return { status, headers, body: nothingIfEmpty(fresh ?? Buffer.from(base64 ?? '', 'base64')), replayed };
  }
}

/** Whether a call may change something at the provider, as its method says. */
export function changes({ method }: Pick<IncomingCall, 'method'>): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';
}

async function passedThrough(way: WayOut, request: ProxiedRequest, signal: AbortSignal): Promise<ProxiedAnswer> {
  const fetch = way.fetchFor({ operation: way.operation, passThrough: true, stream: true, signal });
  const { status, headers, body } = await fetch(request.target, initOf(request));
  return {
    status,
    headers: proxyResponseHeaders(headers),
    body: body ? Readable.fromWeb(body as WebReadableStream) : null,
    replayed: false,
  };
}

/** The provider's answer, a clear refusal too; what leaves the outcome open, or may be asked again, is thrown. */
async function answerTo(way: WayOut, request: ProxiedRequest, idempotencyKey: string): Promise<Response> {
  const fetch = way.fetchFor({ operation: way.operation, anyType: true, idempotencyKey });
  try {
    return await fetch(request.target, initOf(request));
  } catch (error) {
    const refusal = endingOf(knownFailure(error)) === 'answer' ? answerToPassOn(error) : undefined;
    if (refusal) return refusal;
    throw error;
  }
}

function nothingIfEmpty(body: Buffer): Buffer | null {
  return body.byteLength === 0 ? null : body;
}

function initOf({ method, headers, body }: ProxiedRequest): RequestInit {
  return { method, headers, ...(body && { body }) };
}

/** What makes two requests the same one. */
function fingerprintOf({ method, target, headers, body }: ProxiedRequest): readonly unknown[] {
  const digest = createHash('sha256')
    .update(body ?? '')
    .digest('base64url');
  return [method, target.pathname, target.search, headers.get('content-type'), digest];
}

function notKept(provider: string): IntegrationError {
  return new IntegrationError('response_too_large', {
    provider,
    notExecuted: true,
    retryable: false,
    detail: 'The call was carried out before; its answer was larger than 1 MiB and is not kept.',
    nextStep: 'Read what it made from the provider.',
  });
}
