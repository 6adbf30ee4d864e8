import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';

export interface Ask {
  readonly method?: string;
  /** Sent as it stands; nothing is tidied. */
  readonly headers?: OutgoingHttpHeaders;
  /** An object is sent as JSON. */
  readonly body?: string | Buffer | object;
  /** Another address of this machine to come from. */
  readonly from?: string;
  readonly timeoutMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: unknown;
  /** Of problem+json. */
  readonly code?: string;
  readonly durationMs: number;
}

const TIMEOUT_MS = 60_000;

/** What the world reaches under a name, and where it is in truth. */
const places = new Map<string, string>();

/** From now on requests for the origin go there. */
export function lead(origin: string, to: string): void {
  places.set(origin, to);
}

/** Where the origin is on this machine. */
export function placeOf(origin: string): URL {
  return new URL(places.get(origin) ?? origin);
}

/** One request whose path is not tidied and whose redirects are not followed. */
export function ask(origin: string, path: string, { method, headers = {}, body, from, timeoutMs = TIMEOUT_MS }: Ask = {}): Promise<Answer> {
  const { hostname, port } = placeOf(origin);
  const isJson = typeof body === 'object' && !Buffer.isBuffer(body);
  const bytes = body === undefined ? undefined : isJson ? JSON.stringify(body) : body;
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        hostname,
        port,
        path,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: { ...(isJson && { 'content-type': 'application/json' }), ...headers },
        signal: AbortSignal.timeout(timeoutMs),
        agent: false,
        ...(from && { localAddress: from }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const json = parsed(text);
          const code = (json as { code?: unknown } | null)?.code;
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json,
            ...(typeof code === 'string' && { code }),
            durationMs: performance.now() - startedAt,
          });
        });
      },
    );
    request.on('error', reject);
    request.end(bytes);
  });
}

/** Bytes on a socket, for what no client would send. @returns the status of the answer, 0 where the connection was ended without */
export function rawStatus(origin: string, bytes: string | Buffer, waitMs = 20_000): Promise<number> {
  return new Promise((resolve) => {
    const { hostname, port } = placeOf(origin);
    const socket = connect(Number(port), hostname);
    let text = '';
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0));
    };
    const timer = setTimeout(end, waitMs);
    socket.on('connect', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.includes('\r\n')) end();
    });
    socket.on('error', end);
    socket.on('close', end);
  });
}

export function isProblem(answer: Answer): boolean {
  return String(answer.headers['content-type']).startsWith('application/problem+json') && !/\n\s+at |node_modules/.test(answer.text);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
