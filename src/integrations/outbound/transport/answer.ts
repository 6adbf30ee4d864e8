import { pipeline, Readable, Transform, type TransformCallback } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { IntegrationError } from '../../../errors';
import { bufferedResponse } from './buffered-response';
import type { Answer } from '../answer-error';
import { withoutWireHeaders } from './answer-headers';

/** Largest body taken, bytes. */
export const DEFAULT_MAX_RESPONSE_BYTES = 50 * 1024 * 1024;
const NO_BODY = new Set([101, 204, 205, 304]);

/** Counts what comes out of the decompression, so that a small bomb is as bounded as a large file. */
class Cap extends Transform {
  private size = 0;

  constructor(
    private readonly maxBytes: number,
    private readonly provider: string,
  ) {
    super();
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.size += chunk.length;
    if (this.size > this.maxBytes) done(new IntegrationError('response_too_large', { provider: this.provider }));
    else done(null, chunk);
  }
}

export interface BodyOptions {
  readonly provider: string;
  readonly maxBytes: number;
}

/** The body, decompressed and bounded. Ends with an error where either goes wrong; the socket is then closed. */
export function decoded(body: Readable, headers: Headers, { provider, maxBytes }: BodyOptions): Readable {
  const cap = new Cap(maxBytes, provider);
  const decoder = decoderOf(headers.get('content-encoding'));
  if (decoder) pipeline(body, decoder, cap, () => undefined);
  else pipeline(body, cap, () => undefined);
  return cap;
}

/** Reads to the end, and decompresses. What is in memory already and uncompressed is as it is, at once. */
export function readAll(body: Buffer | Readable, headers: Headers, options: BodyOptions): Buffer | Promise<Buffer> {
  const packed = headers.get('content-encoding') !== null;
  if (Buffer.isBuffer(body)) return packed ? readAll(Readable.from([body]), headers, options) : body;
  if (Number(headers.get('content-length') ?? 0) > options.maxBytes) {
    body.destroy();
    throw new IntegrationError('response_too_large', { provider: options.provider });
  }
  const source = packed ? decoded(body, headers, options) : body;
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise<Buffer>((resolve, reject) => {
    source.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > options.maxBytes) {
        source.destroy();
        body.destroy();
        reject(new IntegrationError('response_too_large', { provider: options.provider }));
      } else chunks.push(chunk);
    });
    let ended = false;
    source.once('end', () => {
      ended = true;
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size));
    });
    source.once('error', reject);
    source.once('close', () => {
      if (!ended) reject(new Error('The answer ended early.'));
    });
  });
}

/** @throws IntegrationError `provider_bad_answer` where a successful answer is not the JSON that an API owes */
export function readAnswer(status: number, headers: Headers, body: Buffer, expectsJson: boolean, provider: string): Answer {
  const type = (headers.get('content-type') ?? '').toLowerCase();
  const saysJson = /[/+]json\b/.test(type);
  const json = saysJson ? parse(body) : undefined;
  if (status < 300 && body.length > 0 && !NO_BODY.has(status)) {
    if (saysJson && json === undefined) throw badAnswer(provider, 'The answer of the provider was cut off or is not valid JSON.');
    if (!saysJson && expectsJson) throw badAnswer(provider, 'The provider answered with something other than data.');
  }
  return { status, headers, body, json };
}

/** Whether the caller asked for something other than JSON. */
export function expectsJson(requestHeaders: Headers): boolean {
  const accept = requestHeaders.get('accept');
  return accept === null || accept.includes('json') || accept.includes('*/*');
}

/** A WHATWG answer; `json`: its body where it was parsed before, for whoever asks first. */
export function toResponse(status: number, headers: Headers, body: Uint8Array | ReadableStream | null, json?: unknown): Response {
  const init = { status, headers: withoutWireHeaders(headers) };
  if (body instanceof Uint8Array && !NO_BODY.has(status)) return bufferedResponse(body, status, init.headers, json);
  return new Response(NO_BODY.has(status) ? null : (body as ConstructorParameters<typeof Response>[0]), init);
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function badAnswer(provider: string, detail: string): IntegrationError {
  return new IntegrationError('provider_bad_answer', { provider, detail });
}

function decoderOf(encoding: string | null): Transform | undefined {
  const name = encoding?.trim().toLowerCase();
  if (name === 'gzip' || name === 'x-gzip') return createGunzip();
  if (name === 'deflate') return createInflate();
  return name === 'br' ? createBrotliDecompress() : undefined;
}
