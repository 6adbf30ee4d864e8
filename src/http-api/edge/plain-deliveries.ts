import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Clock } from '../../clock';
import { withoutBase } from '../../config/base-path';
import { PROBLEM_JSON } from '../problems/problem';
import { problemHeaders, type Problems } from '../problems/problems';
import { CLIENT_GONE, requestSpan, type RequestSpan } from '../../tracing';
import { requestContext, requestIdOf, traceIdOf, type RequestContext } from '../../request-context';
import type { BodyBudget, HeldBody } from './body-budget';
import type { RequestRules } from './request-rules';

export interface Delivery {
  readonly method: string;
  /** Path and query as they came. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** ms since the epoch */
  readonly receivedAt: number;
}

export interface DeliveryAnswer {
  readonly status: number;
  readonly body?: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PlainDeliveryParts {
  readonly rules: Pick<RequestRules, keyof RequestRules>;
  readonly problems: Pick<Problems, 'understood' | 'tell'>;
  readonly clock: Clock;
  readonly bodies: BodyBudget;
  /** Below which all addresses lie; empty: none. */
  readonly basePath: string;
  /** Of a body, bytes. */
  readonly maxBytes: number;
  /** Where a request came from: what a trusted proxy says, or else the socket. */
  readonly addressOf: (request: IncomingMessage) => string;
  /** Whether the inbox takes deliveries under this name; any other route of this shape is the framework's. */
  readonly takes: (provider: string) => boolean;
  readonly receive: (provider: string, delivery: Delivery) => Promise<DeliveryAnswer>;
}

/** A delivery on its way to its answer. */
interface Pending {
  readonly context: RequestContext & { readonly requestId: string };
  readonly address: string;
  readonly startedAt: number;
  readonly span: RequestSpan;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

const ROUTE = '/webhooks/:provider';
const ADDRESS = /^\/webhooks\/([a-z0-9-]{1,64})$/;
const LENGTH = /^[1-9]\d{0,15}$/;
const TEXT = 'text/plain; charset=utf-8';

/**
 * The fast path of webhooks, which come in floods: a plain one (POST, an address without anything to decode, a stated length within
 * the cap) goes past the framework, to the same inbox, under the same rules and with the same answer. Whatever is out of the ordinary
 * goes the ordinary way; so does everything until `open`, or for good where the setting is off.
 */
export class PlainDeliveries {
  private parts?: PlainDeliveryParts;

  open(parts: PlainDeliveryParts): void {
    this.parts = parts;
  }

  /** The server's listener: plain deliveries here, the rest to `ordinary`. */
  before(ordinary: RequestListener): RequestListener {
    return (request, response) => {
      const provider = this.parts && plainDelivery(request, this.parts);
      if (this.parts && provider !== undefined) take(this.parts, provider, request, response);
      else ordinary(request, response);
    };
  }
}

function plainDelivery(
  { method, url = '', headers }: IncomingMessage,
  { basePath, maxBytes, takes }: PlainDeliveryParts,
): string | undefined {
  const length = headers['content-length'];
  if (method !== 'POST' || length === undefined || !LENGTH.test(length) || Number(length) > maxBytes) return undefined;
  if (headers['transfer-encoding'] !== undefined || headers.expect !== undefined || headers.upgrade !== undefined) return undefined;
  const provider = ADDRESS.exec(withoutBase(basePath, url))?.[1];
  return provider !== undefined && takes(provider) ? provider : undefined;
}

function take(parts: PlainDeliveryParts, provider: string, request: IncomingMessage, response: ServerResponse): void {
  const requestId = requestIdOf(request.headers['x-request-id']);
  const span = requestSpan(request.headers);
  const traceId = span.traceId ?? traceIdOf(request.headers.traceparent);
  const address = parts.addressOf(request);
  const context = { requestId, address, ...(traceId && { traceId }) };
  const pending: Pending = { context, address, startedAt: performance.now(), span, request, response };
  let held: HeldBody;
  try {
    parts.rules.admit({ route: ROUTE, address, rawHeaders: request.rawHeaders });
    held = parts.bodies.open(Number(request.headers['content-length']));
  } catch (refusal) {
    return refuseUnread(parts, pending, refusal);
  }
  response.once('close', () => held.release());
  const chunks: Buffer[] = [];
  let whole = false;
  request.on('data', (chunk: Buffer) => {
    if (whole) return;
    try {
      held.add(chunk.length);
      chunks.push(chunk);
    } catch (refusal) {
      whole = true;
      chunks.length = 0;
      refuseUnread(parts, pending, refusal);
    }
  });
  request.on('error', () => undefined); // its end is told by `close`
  request.on('close', () => {
    if (whole) return;
    span.end('POST', ROUTE, CLIENT_GONE);
    parts.rules.givenUp({ requestId, method: 'POST', route: ROUTE });
  });
  request.on('end', () => {
    if (whole) return; // answered already
    whole = true;
    // Copied: a chunk is a part of the socket's large buffer, which would stay as long as the delivery waits to be stored.
    const body = Buffer.concat(chunks);
    void requestContext.run(context, () => span.within(() => answer(parts, provider, body, pending)));
  });
}

async function answer(parts: PlainDeliveryParts, provider: string, body: Buffer, pending: Pending): Promise<void> {
  const { headers, url = '' } = pending.request;
  try {
    const given = await parts.receive(provider, {
      method: 'POST',
      url: withoutBase(parts.basePath, url),
      headers,
      body,
      receivedAt: parts.clock.now(),
    });
    send(parts, pending, given.status, given.body ?? '', { ...given.headers, 'content-type': given.contentType ?? TEXT });
  } catch (thrown) {
    refuse(parts, pending, thrown);
  }
}

/** What has not come yet of the body is not waited for. */
function refuseUnread(parts: PlainDeliveryParts, pending: Pending, refusal: unknown): void {
  pending.response.setHeader('connection', 'close');
  requestContext.run(pending.context, () => refuse(parts, pending, refusal));
}

function refuse(parts: PlainDeliveryParts, pending: Pending, thrown: unknown): void {
  const problem = parts.problems.tell(parts.problems.understood(thrown), { id: pending.context.requestId, route: ROUTE });
  send(parts, pending, problem.status, JSON.stringify(problem), { ...problemHeaders(problem), 'content-type': PROBLEM_JSON });
}

function send(
  { rules }: PlainDeliveryParts,
  { context, address, startedAt, span, response }: Pending,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>>,
): void {
  response.writeHead(status, { ...rules.headers(context.requestId), ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
  span.end('POST', ROUTE, status);
  const { requestId, traceId } = context;
  const durationMs = performance.now() - startedAt;
  rules.answered({ requestId, ...(traceId && { traceId }), method: 'POST', route: ROUTE, status, durationMs, address });
}
