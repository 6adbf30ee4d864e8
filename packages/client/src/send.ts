import { secondsOf, TrestleError } from './trestle-error.ts';

export interface SendOptions {
  readonly token: string | (() => string | Promise<string>);
  /** For the call with all its tries, ms. Default 30 000. */
  readonly deadlineMs?: number;
  /** Default 5. */
  readonly maxTries?: number;
  readonly fetch?: typeof fetch;
}

export const DEFAULTS = { deadlineMs: 30_000, maxTries: 5, firstBackOffMs: 250, longestBackOffMs: 8_000 };

/** Calls that act on a connection at its provider, and take an `Idempotency-Key`. A start of a sync is safe without: one that runs is the answer. The address of its webhooks is ours. */
const ACTS = /\/v1\/connections\/[^/]+\/(?!syncs$|records\/|events$|webhook-address$).+/;
/** Nobody got to the work, or nobody knows: where the call is safe, it is made again. */
const PASSING = new Set([429, 502, 503, 504]);
const SAFE_METHODS = new Set(['GET', 'HEAD']);

/**
 * Sends with the token, and again what is safe to send again: reads, and acting calls, which all carry an `Idempotency-Key` (one is made
 * where the caller gave none). Waits as `Retry-After` asks, else longer from try to try; never past the deadline.
 *
 * @returns the last answer, whatever its status
 * @throws TrestleError `network_failed`, `deadline_exceeded`
 */
export async function send(request: Request, options: SendOptions): Promise<Response> {
  const { deadlineMs = DEFAULTS.deadlineMs, maxTries = DEFAULTS.maxTries } = options;
  const end = Date.now() + deadlineMs;
  const headers = new Headers(request.headers);
  if (acts(request) && !headers.has('idempotency-key')) headers.set('idempotency-key', crypto.randomUUID());
  const safe = SAFE_METHODS.has(request.method) || headers.has('idempotency-key');
  for (let tries = 1; ; tries++) {
    const outcome = await attempt(request, headers, end, options);
    const waitMs = safe && tries < maxTries ? await waitBefore(tries, outcome) : undefined;
    if (waitMs === undefined || Date.now() + waitMs >= end) {
      if (outcome instanceof TrestleError) throw outcome;
      return outcome;
    }
    if (!(outcome instanceof TrestleError)) await outcome.body?.cancel();
    await sleep(waitMs, request.signal);
  }
}

export async function bearerOf(token: SendOptions['token']): Promise<string> {
  return `Bearer ${typeof token === 'function' ? await token() : token}`;
}

/** Rejects with the signal's reason when that is aborted first. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    }, ms);
    if (signal?.aborted) aborted();
    else signal?.addEventListener('abort', aborted, { once: true });
  });
}

/** Between nothing and the full width, which doubles. */
export function backOffMs(failures: number): number {
  return Math.random() * Math.min(DEFAULTS.longestBackOffMs, DEFAULTS.firstBackOffMs * 2 ** (failures - 1));
}

async function attempt(request: Request, headers: Headers, end: number, options: SendOptions): Promise<Response | TrestleError> {
  headers.set('authorization', await bearerOf(options.token));
  const timeout = AbortSignal.timeout(Math.max(1, end - Date.now()));
  const signal = AbortSignal.any([request.signal, timeout]);
  try {
    return await (options.fetch ?? fetch)(new Request(request.clone(), { headers, signal }));
  } catch (cause) {
    if (request.signal.aborted) throw request.signal.reason;
    return timeout.aborted ? late(cause) : unreached(cause);
  }
}

/** @returns undefined where a further try would help nobody */
async function waitBefore(tries: number, outcome: Response | TrestleError): Promise<number | undefined> {
  if (outcome instanceof TrestleError) return outcome.retryable ? backOffMs(tries) : undefined;
  if (outcome.ok || outcome.headers.get('idempotent-replayed') === 'true') return undefined; // that answer is for good
  const { retryable, retryAfter } = await told(outcome);
  if (!(retryable ?? PASSING.has(outcome.status))) return undefined;
  const seconds = secondsOf(outcome.headers.get('retry-after')) ?? retryAfter;
  return seconds === undefined ? backOffMs(tries) : seconds * 1_000;
}

async function told(response: Response): Promise<{ retryable?: boolean; retryAfter?: number }> {
  if (!/json/.test(response.headers.get('content-type') ?? '')) return {};
  try {
    return (await response.clone().json()) as { retryable?: boolean; retryAfter?: number };
  } catch {
    return {}; // cut off, or no JSON: the status says enough
  }
}

/** Whether the call takes an `Idempotency-Key`. */
export function acts({ method, url }: Pick<Request, 'method' | 'url'>): boolean {
  return !SAFE_METHODS.has(method) && ACTS.test(new URL(url).pathname);
}

function unreached(cause: unknown): TrestleError {
  return new TrestleError(
    {
      code: 'network_failed',
      status: 0,
      detail: 'Trestle was not reached, or the connection to it broke.',
      nextStep: 'Check the base URL and whether Trestle runs, then try again.',
      retryable: true,
    },
    { cause },
  );
}

function late(cause: unknown): TrestleError {
  return new TrestleError(
    {
      code: 'deadline_exceeded',
      status: 0,
      detail: 'Trestle did not answer in time; what was asked for may have happened.',
      nextStep: 'Read what became of it, or try again with the same Idempotency-Key.',
      retryable: false,
    },
    { cause },
  );
}
