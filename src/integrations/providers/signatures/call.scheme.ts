import { IntegrationError } from '../../../errors';
import { timeOf } from '../../../time-of';
import type { ProviderCall, RawDelivery, Verdict } from '../../contract';
import { hostMatches } from '../host-pattern';
import { pointed } from '../pointed';
import type { SchemeOf } from './signature-scheme';
import { GOOD, refused, single, TOLERANCE_S } from './verification';

/** Printable, without a space: what a header of a signature holds. */
const WORD = /^[\x21-\x7e]{1,1000}$/;
/** Webhooks that are asked about, one after another: a roll needs two. */
const MAX_SECRETS = 5;
const RETRY_MS = 30_000;

/**
 * Whether the provider says that a delivery is its own. It fails closed: what could not be asked is no verdict.
 *
 * @throws IntegrationError `provider_unavailable`: it could not be asked, so the delivery is worth sending again
 */
export async function verifyByCall(
  delivery: RawDelivery,
  secrets: readonly string[],
  scheme: SchemeOf<'call'>,
  { call, address }: { readonly call: ProviderCall; readonly address: (values: Readonly<Record<string, unknown>>) => string },
): Promise<Verdict> {
  if (secrets.length === 0) return refused('no_secret');
  const headers = headersOf(scheme);
  const values = headers.map((name) => single(delivery, name));
  if (values.some((value) => value === undefined || value === '')) return refused('no_signature');
  if (!values.every((value) => typeof value === 'string' && WORD.test(value))) return refused('malformed_signature');
  const given = new Map(headers.map((name, at) => [name, values[at] as string]));
  const isWorthAsking = isInTime(scheme, given, delivery.receivedAt) && isOfTheirs(scheme, given) && isJsonObject(delivery.body);
  if (!isWorthAsking) return refused('malformed_signature');
  for (const secret of secrets.slice(0, MAX_SECRETS)) {
    const body = bodyOf(scheme, given, secret, delivery.body);
    if (await isConfirmed(scheme, body, call, address)) return GOOD;
  }
  return refused('wrong_signature');
}

async function isConfirmed(
  { good }: SchemeOf<'call'>,
  body: string,
  call: ProviderCall,
  address: (values: Readonly<Record<string, unknown>>) => string,
): Promise<boolean> {
  let answer: unknown;
  try {
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    const response = await call((values) => [address(values), { method: 'POST', headers, body }]);
    answer = await response.json();
  } catch (cause) {
    // Whatever it was: nobody said that the delivery is good, and nobody that it is not.
    throw new IntegrationError('provider_unavailable', { cause, retryAfterMs: RETRY_MS, notExecuted: true });
  }
  return pointed(answer, good.at) === good.is;
}

function headersOf({ body, header, timestamp, keyAddress }: SchemeOf<'call'>): readonly string[] {
  const named = Object.values(body).flatMap((value) => /^\{header:([\w-]+)\}$/.exec(value)?.[1] ?? []);
  return [...new Set([header, timestamp, ...named, ...(keyAddress ? [keyAddress.header] : [])])];
}

/** Told as malformed: strangers must not be able to cause an alert about clocks, and nothing is known to be signed here. */
function isInTime({ timestamp, oldestS = TOLERANCE_S }: SchemeOf<'call'>, given: ReadonlyMap<string, string>, receivedAt: number): boolean {
  const at = timeOf(given.get(timestamp) ?? '');
  return at >= receivedAt - oldestS * 1_000 && at <= receivedAt + TOLERANCE_S * 1_000;
}

function isOfTheirs({ keyAddress }: SchemeOf<'call'>, given: ReadonlyMap<string, string>): boolean {
  if (!keyAddress) return true;
  const text = given.get(keyAddress.header) ?? '';
  if (!URL.canParse(text)) return false;
  const { protocol, username, port, hostname } = new URL(text);
  return protocol === 'https:' && username === '' && port === '' && keyAddress.hosts.some((host) => hostMatches(hostname, host));
}

/** With the delivery's own bytes: written anew it may be another text than the one that was signed. */
function bodyOf({ body }: SchemeOf<'call'>, given: ReadonlyMap<string, string>, secret: string, delivered: Buffer): string {
  const fields = Object.entries(body).map(([name, value]) => {
    if (value === '{body}') return `${JSON.stringify(name)}:${delivered.toString('utf8')}`;
    const text = value.replace(/\{(?:header:([\w-]+)|secret)\}/g, (_, header?: string) => (header ? (given.get(header) ?? '') : secret));
    return `${JSON.stringify(name)}:${JSON.stringify(text)}`;
  });
  return `{${fields.join(',')}}`;
}

/** One value and no more: else what a stranger sends would speak for the fields around it. */
function isJsonObject(body: Buffer): boolean {
  try {
    const text = body.toString('utf8');
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && Buffer.from(text, 'utf8').equals(body);
  } catch {
    return false;
  }
}
