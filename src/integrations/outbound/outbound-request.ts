import { IntegrationError } from '../../errors';

/** A request as plain data, its body in memory: it can be sent again. */
export interface OutboundRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body?: Uint8Array;
}

export const MAX_REQUEST_BYTES = 64 * 1024 * 1024;

/** Never the caller's business: set by the transport, or a way to smuggle. */
const STRIPPED: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'proxy-authorization',
  'cookie',
  'expect',
]);

/**
 * Reads what `fetch` was given; at once unless the body is a stream or a form.
 * @throws IntegrationError `payload_too_large` past 64 MiB, `invalid_request` for what is no request
 */
export function readOutboundRequest(input: string | URL | Request, init: RequestInit = {}): OutboundRequest | Promise<OutboundRequest> {
  const request = typeof input === 'string' || input instanceof URL ? undefined : input;
  const url = parseUrl(request ? request.url : String(input));
  const headers = new Headers(init.headers ?? request?.headers);
  for (const name of [...headers.keys()]) if (STRIPPED.has(name)) headers.delete(name);
  const method = (init.method ?? request?.method ?? 'GET').toUpperCase();
  const body = readBody(init.body ?? request?.body, headers);
  if (body instanceof Promise) return body.then((read) => ({ method, url, headers, ...(read && { body: read }) }));
  return body ? { method, url, headers, body } : { method, url, headers };
}

function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch (cause) {
    throw new IntegrationError('invalid_request', { detail: 'The address of the request is not valid.', notExecuted: true, cause });
  }
}

type Body = Uint8Array | undefined;

function readBody(body: RequestInit['body'] | undefined, headers: Headers): Body | Promise<Body> {
  if (body == null) return undefined;
  if (typeof body === 'string') return bounded(withType(headers, 'text/plain;charset=UTF-8', Buffer.from(body)));
  if (body instanceof URLSearchParams) {
    return bounded(withType(headers, 'application/x-www-form-urlencoded;charset=UTF-8', Buffer.from(body.toString())));
  }
  if (body instanceof Uint8Array) return bounded(body);
  // Forms, blobs, streams: the platform knows how to write them.
  const written = new Response(body as ConstructorParameters<typeof Response>[0]);
  const type = written.headers.get('content-type');
  if (type && !headers.has('content-type')) headers.set('content-type', type);
  return readStream(written.body);
}

function withType(headers: Headers, type: string, bytes: Uint8Array): Uint8Array {
  if (!headers.has('content-type')) headers.set('content-type', type);
  return bytes;
}

async function readStream(stream: ReadableStream<Uint8Array> | null): Promise<Uint8Array | undefined> {
  if (!stream) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.byteLength;
    if (size > MAX_REQUEST_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function bounded(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength > MAX_REQUEST_BYTES) throw tooLarge();
  return bytes;
}

function tooLarge(): IntegrationError {
  return new IntegrationError('payload_too_large', { notExecuted: true });
}
