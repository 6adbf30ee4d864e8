import { request } from 'node:http';

type Headers = Record<string, string>;

/** Requests to one origin that follow no redirect. The origin is asked for late, as the app starts in `beforeAll`. */
export function edgeClient(origin: () => string) {
  return {
    get: (path: string, headers: Headers = {}) => fetch(origin() + path, { headers, redirect: 'manual' }),
    post: (path: string, body: string | Uint8Array, headers: Headers = {}) =>
      fetch(origin() + path, { method: 'POST', body, headers, redirect: 'manual' }),
  };
}

/** What counts of a failure; compare with `shape`. */
export async function problem(answer: Response): Promise<unknown[]> {
  const { status, code } = (await answer.json()) as { status: number; code: string };
  return [answer.status, answer.headers.get('content-type'), status, code];
}

export function shape(status: number, code: string): unknown[] {
  return [status, 'application/problem+json; charset=utf-8', status, code];
}

/** A request as it stands: no client that tidies the path, or waits to send. */
export function rawStatus(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: Uint8Array,
): Promise<number> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, method, path, headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
