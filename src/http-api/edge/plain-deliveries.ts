import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Clock } from '../../clock';
import type { Drain } from './drain';
import { hostsIn, noteAnswer } from './hooks';
import type { EdgeLogger } from './logger';
import { PROBLEM_JSON } from '../problems/problem';
import { problemHeaders, type Problems } from '../problems/problems';
import { requestContext, requestIdOf, traceIdOf, type RequestContext } from '../request-context';

export interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** ms since the epoch */
  readonly receivedAt: number;
}

export interface DeliveryAnswer {
  readonly status: number;
  readonly body?: string;
  readonly contentType?: string;
}

export interface DeliveryLaneParts {
  readonly logger: EdgeLogger;
  readonly drain: Drain;
  readonly problems: Problems;
  readonly clock: Clock;
  /** Of a body, bytes. */
  readonly maxBytes: number;
  readonly securityHeaders: () => Readonly<Record<string, string>>;
  /** Whether the inbox takes deliveries under this name; any other route of this shape is the framework's. */
  readonly takes: (provider: string) => boolean;
  readonly receive: (provider: string, delivery: Delivery) => Promise<DeliveryAnswer>;
}

/** A delivery on its way to its answer. */
interface Pending {
  readonly context: RequestContext;
  readonly startedAt: number;
  readonly response: ServerResponse;
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

const ROUTE = '/webhooks/:provider';
const ADDRESS = /^\/webhooks\/([a-z0-9-]{1,64})$/;
const LENGTH = /^[1-9]\d{0,15}$/;
const TEXT = 'text/plain; charset=utf-8';

/**
 * Webhooks come in floods, and a provider counts the seconds: to route, guard, parse and answer a delivery as any other request
 * costs more than to verify and store it. So a plain one (POST, an address without anything to decode, a stated length within the cap)
 * goes past the framework, to the same inbox and with the same answer. Whatever is out of the ordinary goes the ordinary way.
 */
export class PlainDeliveries {
  constructor(private readonly parts: DeliveryLaneParts) {}

  /** Stands before the server's listener. After it is set up, before it listens. */
  open(server: Server): void {
    const ordinary = server.listeners('request') as Listener[];
    server.removeAllListeners('request');
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const provider = this.plainDelivery(request);
      if (provider !== undefined) this.take(provider, request, response);
      else for (const listener of ordinary) listener(request, response);
    });
  }

  private plainDelivery({ method, url = '', headers, rawHeaders }: IncomingMessage): string | undefined {
    const length = headers['content-length'];
    if (method !== 'POST' || length === undefined || !LENGTH.test(length) || Number(length) > this.parts.maxBytes) return undefined;
    if (headers['transfer-encoding'] !== undefined || headers.expect !== undefined || headers.upgrade !== undefined) return undefined;
    if (this.parts.drain.started || hostsIn(rawHeaders) !== 1) return undefined;
    const provider = ADDRESS.exec(url)?.[1];
    return provider !== undefined && this.parts.takes(provider) ? provider : undefined;
  }

  private take(provider: string, request: IncomingMessage, response: ServerResponse): void {
    const startedAt = performance.now();
    const requestId = requestIdOf(request.headers['x-request-id']);
    const traceId = traceIdOf(request.headers.traceparent);
    const chunks: Buffer[] = [];
    let whole = false;
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined); // its end is told by `close`
    request.on('close', () => {
      if (!whole) this.parts.logger.debug({ requestId, method: 'POST', route: ROUTE }, 'request given up by the client');
    });
    request.on('end', () => {
      whole = true;
      // Copied: a chunk is a part of the socket's large buffer, which would stay as long as the delivery waits to be stored.
      const delivery = { headers: request.headers, body: Buffer.concat(chunks), receivedAt: this.parts.clock.now() };
      const context = { requestId, ...(traceId && { traceId }) };
      void requestContext.run(context, () => this.answer(provider, delivery, { context, startedAt, response }));
    });
  }

  private async answer(provider: string, delivery: Delivery, { context, startedAt, response }: Pending): Promise<void> {
    const { requestId } = context;
    try {
      const { status, body = '', contentType = TEXT } = await this.parts.receive(provider, delivery);
      this.send(response, requestId, { status, body, headers: { 'content-type': contentType } });
    } catch (thrown) {
      const { problems } = this.parts;
      const problem = problems.tell(problems.understood(thrown), { id: requestId, route: ROUTE });
      const headers = { ...problemHeaders(problem), 'content-type': PROBLEM_JSON };
      this.send(response, requestId, { status: problem.status, body: JSON.stringify(problem), headers });
    } finally {
      const durationMs = performance.now() - startedAt;
      noteAnswer(this.parts.logger, { ...context, method: 'POST', route: ROUTE, status: response.statusCode, durationMs });
    }
  }

  private send(
    response: ServerResponse,
    requestId: string,
    { status, body, headers }: { status: number; body: string; headers: Readonly<Record<string, string>> },
  ): void {
    // While it was stored the process may have been told to stop: the next request goes to another.
    if (this.parts.drain.started) response.shouldKeepAlive = false;
    response.writeHead(status, {
      ...this.parts.securityHeaders(),
      'x-request-id': requestId,
      ...headers,
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  }
}
