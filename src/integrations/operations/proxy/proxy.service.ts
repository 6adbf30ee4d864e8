import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ReadableStream as WebReadableStream } from 'node:stream/web';
import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import { findIntegrationError, IntegrationError } from '../../../errors';
import type { Principal } from '../../../http-api';
import { AuditLog } from '../../audit';
import { assertUsable, ConnectionRepository, GovernedHttp, isOwn, toRef } from '../../connections';
import type { ConnectionRef, Provider } from '../../contract';
import { answerToPassOn } from '../../outbound';
import { providerFor, ProviderRegistry } from '../../providers';
import type { ExecutionAnswer } from '../execution';
import { endingOf, knownFailure } from '../execution-outcome';
import { ExecutionService } from '../execution.service';
import { proxyRequestHeaders, proxyResponseHeaders, type IncomingHeaders } from './proxy-headers';
import { assertAllowedThroughProxy, type ProxiedRequest } from './proxy-policy';
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

/** As it is stored. */
interface KeptAnswer {
  readonly headers: Readonly<Record<string, string>>;
  /** Null: too large to be kept. */
  readonly base64: string | null;
}

/** Largest answer that is kept for a repetition, bytes. */
const MAX_KEPT_BYTES = 1024 * 1024;
const OPERATION = 'proxy';

/** Calls of the product to a provider's API that has no route of its own here: governed like every other, idempotent where a key is given. */
@Injectable()
export class ProxyService {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly registry: ProviderRegistry,
    private readonly http: GovernedHttp,
    private readonly executions: ExecutionService,
    private readonly audit: AuditLog,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** @throws IntegrationError `proxy_not_allowed`, `destination_refused`; with a key those of `ExecutionService.run` */
  async call(caller: Principal, id: string, call: IncomingCall): Promise<ProxiedAnswer> {
    const found = await this.connections.findFor(caller, id);
    assertUsable(caller, found);
    const connection = toRef(found);
    const { provider: key } = connection;
    const provider = providerFor(this.registry.get(key), connection.metadata);
    // The path may name a person's things; the endpoint does not.
    const act = { action: 'proxy.call' as const, tenant: connection.tenant, target: `${key} ${call.method} connection:${id}` };
    let request: ProxiedRequest;
    try {
      request = this.allowed(provider, call);
    } catch (refusal) {
      // Whoever tries another account or endpoint than may be called is to be found, a read as well.
      await this.audit.record(act, findIntegrationError(refusal)?.code ?? 'internal_error');
      throw refusal;
    }
    const changes = call.method !== 'GET' && call.method !== 'HEAD' && call.method !== 'OPTIONS';
    const { idempotencyKey } = call;
    const send =
      idempotencyKey !== undefined && changes
        ? () => this.once(caller, connection, request, idempotencyKey)
        : () => this.passedThrough(connection, request, call.signal);
    if (!changes && isOwn(caller, connection)) return send();
    return this.audit.around(act, send);
  }

  private allowed(provider: Provider, call: IncomingCall): ProxiedRequest {
    const request = {
      method: call.method,
      target: proxyTarget(call.url, provider.apiBaseUrl),
      headers: proxyRequestHeaders(call.headers),
      ...(call.body && { body: call.body }),
    };
    const { proxy, proxyAnyFor } = this.settings;
    assertAllowedThroughProxy(request, provider.http, proxy === 'declared' && proxyAnyFor.includes(provider.key) ? 'any' : proxy);
    return request;
  }

  private async passedThrough(connection: ConnectionRef, request: ProxiedRequest, signal: AbortSignal): Promise<ProxiedAnswer> {
    const fetch = this.http.fetchFor(connection, { operation: OPERATION, passThrough: true, stream: true, signal });
    const { status, headers, body } = await fetch(request.target, initOf(request));
    return {
      status,
      headers: proxyResponseHeaders(headers),
      body: body ? Readable.fromWeb(body as WebReadableStream) : null,
      replayed: false,
    };
  }

  /** Stored before it is sent, and carried to its end even where the caller leaves. */
  private async once(caller: Principal, connection: ConnectionRef, request: ProxiedRequest, key: string): Promise<ProxiedAnswer> {
    let fresh: Buffer | undefined;
    const execute = async (providerKey: string): Promise<ExecutionAnswer> => {
      const response = await this.answerTo(connection, request, providerKey);
      const body = Buffer.from(await response.arrayBuffer());
      fresh = body;
      const base64 = body.byteLength > MAX_KEPT_BYTES ? null : body.toString('base64');
      return { status: response.status, body: { headers: proxyResponseHeaders(response.headers), base64 } satisfies KeptAnswer };
    };
    const { status, body, replayed } = await this.executions.run({
      caller,
      connection,
      route: OPERATION,
      body: fingerprintOf(request),
      idempotencyKey: key,
      execute: ({ providerKey }) => execute(providerKey),
    });
    const { headers, base64 } = body as KeptAnswer;
    if (fresh === undefined && base64 === null) throw notKept(connection.provider);
    return { status, headers, body: nothingIfEmpty(fresh ?? Buffer.from(base64 ?? '', 'base64')), replayed };
  }

  /** The provider's answer, a clear refusal too; what leaves the outcome open, or may be asked again, is thrown. */
  private async answerTo(connection: ConnectionRef, request: ProxiedRequest, idempotencyKey: string): Promise<Response> {
    const fetch = this.http.fetchFor(connection, { operation: OPERATION, anyType: true, idempotencyKey });
    try {
      return await fetch(request.target, initOf(request));
    } catch (error) {
      const refusal = endingOf(knownFailure(error)) === 'answer' ? answerToPassOn(error) : undefined;
      if (refusal) return refusal;
      throw error;
    }
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
