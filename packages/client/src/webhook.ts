export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface VerifyOptions {
  /** How old, or ahead of time, a message may be, s. Default 300. */
  readonly toleranceSeconds?: number;
  /** ms since the epoch. Default: now. */
  readonly now?: number;
}

/** What `docs/outgoing-webhooks.md` lists. */
export interface WebhookMessage {
  /** The same each time the message comes: keep it, and pass over what was dealt with. */
  readonly id: string;
  readonly type: string;
  /** ISO 8601 UTC. */
  readonly timestamp: string;
  /** The organization; null for what whoever runs the service is told. */
  readonly tenant: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

export type VerificationFault =
  'no_secret' | 'missing_header' | 'malformed_header' | 'too_old_or_early' | 'wrong_signature' | 'malformed_body';

/** A message that is not to be trusted: answer it 401. The sentence names the likely cause. */
export class WebhookVerificationError extends Error {
  override readonly name = 'WebhookVerificationError';
  constructor(readonly code: VerificationFault) {
    super(SENTENCES[code]);
  }
}

const SENTENCES: Readonly<Record<VerificationFault, string>> = {
  no_secret: 'No usable secret was given: it is shown when the destination is made, and begins with whsec_.',
  missing_header:
    'webhook-id, webhook-timestamp or webhook-signature is missing: this is not a message of Trestle, or a proxy took them away.',
  malformed_header: 'webhook-timestamp or webhook-signature cannot be read.',
  too_old_or_early: 'The message is too old or ahead of time: a replay, or the clock of this machine is wrong.',
  wrong_signature:
    'No signature fits: the secret is of another destination, or the body was parsed and written anew before it was checked.',
  malformed_body: 'The body is signed, but no message of Trestle.',
};

const DEFAULT_TOLERANCE_SECONDS = 300;
/** During a roll there are two. */
const MAX_SIGNATURES = 10;

/**
 * Checks a webhook of Trestle (Standard Webhooks) and reads it.
 *
 * @param body as it came, not parsed
 * @param secrets of the destination; several during a roll
 * @throws WebhookVerificationError
 */
export async function verifyWebhook(
  body: string | Uint8Array,
  headers: WebhookHeaders,
  secrets: string | readonly string[],
  { toleranceSeconds = DEFAULT_TOLERANCE_SECONDS, now = Date.now() }: VerifyOptions = {},
): Promise<WebhookMessage> {
  const keys = [secrets]
    .flat()
    .map(keyOf)
    .filter((key) => key !== undefined && key.length > 0) as Uint8Array<ArrayBuffer>[];
  if (keys.length === 0) throw new WebhookVerificationError('no_secret');
  const [id, timestamp, signature] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => headerOf(headers, name));
  if (!id || !timestamp || !signature) throw new WebhookVerificationError('missing_header');
  const signatures = signature
    .split(' ', MAX_SIGNATURES)
    .flatMap((part) => (part.startsWith('v1,') ? [bytesOf(part.slice(3))] : []))
    .filter((bytes) => bytes !== undefined);
  if (!/^\d{1,12}$/.test(timestamp) || signatures.length === 0 || id.includes('.')) throw new WebhookVerificationError('malformed_header');
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  if (!(await fits(keys, signatures, joined(new TextEncoder().encode(`${id}.${timestamp}.`), bytes))))
    throw new WebhookVerificationError('wrong_signature');
  if (Math.abs(now / 1_000 - Number(timestamp)) > toleranceSeconds) throw new WebhookVerificationError('too_old_or_early');
  return { ...messageOf(text), id };
}

/** The comparison is WebCrypto's own, in constant time. */
async function fits(
  keys: Uint8Array<ArrayBuffer>[],
  signatures: Uint8Array<ArrayBuffer>[],
  signed: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  for (const bytes of keys) {
    const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
    for (const signature of signatures) if (await crypto.subtle.verify('HMAC', key, signature, signed)) return true;
  }
  return false;
}

function messageOf(text: string): Omit<WebhookMessage, 'id'> {
  try {
    const { type, timestamp, tenant, data } = JSON.parse(text) as Record<string, unknown>;
    if (typeof type === 'string' && typeof timestamp === 'string' && typeof data === 'object' && data !== null)
      return { type, timestamp, tenant: typeof tenant === 'string' ? tenant : null, data: data as Record<string, unknown> };
  } catch {
    // no JSON: said below
  }
  throw new WebhookVerificationError('malformed_body');
}

function headerOf(headers: WebhookHeaders, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const value = headers[name] ?? Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof value === 'string' ? value : undefined; // twice: which one counts nobody knows
}

function keyOf(secret: string): Uint8Array<ArrayBuffer> | undefined {
  return bytesOf(secret.replace(/^whsec_/, ''));
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
