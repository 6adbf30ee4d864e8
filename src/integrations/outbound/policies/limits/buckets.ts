import { createHash } from 'node:crypto';
import type { LimitFacts } from '../../../contract';
import { accountOf, type Call } from '../../call';
import type { OutboundRequest } from '../../outbound-request';
import type { Bucket } from './gcra';

/** A body larger than this is not searched for a parameter. */
const MAX_PARSED_BYTES = 256 * 1024;

/**
 * The buckets that a call falls under, and a gate of its account and endpoint, which a "slow down" of the provider closes
 * even where no limit is declared; it comes first. An app that calls as itself is an account of its own; what is neither a connection's nor
 * an app's falls under the provider's own limits only.
 */
export function bucketsOf(call: Call): readonly Bucket[] {
  const { provider, endpoint } = call;
  const account = accountOf(call);
  const names = new Set([...provider.http.defaultLimits, ...(endpoint.facts?.limits ?? [])]);
  const cost = endpoint.facts?.cost ?? 1;
  const buckets: Bucket[] = [gateOf(call)];
  for (const name of names) {
    const limit = provider.http.limits[name];
    if (!limit || (limit.per !== 'provider' && account === undefined)) continue;
    const scope = scopeOf(limit, call, account ?? '');
    if (scope === undefined) continue;
    buckets.push({
      key: `${provider.key}|${name}|${scope}`,
      intervalMs: 1000 / limit.perSecond,
      burst: withMargin(limit.burst),
      cost,
      closes: limit.per !== 'provider',
    });
  }
  return buckets;
}

/** A tenth of a burst is kept back where there is one to speak of: what leaves in time arrives closer together than it left. */
function withMargin(burst: number): number {
  return burst - Math.floor(burst / 10);
}

function gateOf(call: Call): Bucket {
  const { provider, endpoint, request } = call;
  const key = `${provider.key}|gate|${accountOf(call) ?? ''}|${request.method} ${endpoint.template}`;
  return { key, intervalMs: 0, burst: 1, cost: 1, closes: true };
}

function scopeOf(limit: LimitFacts, call: Call, account: string): string | undefined {
  switch (limit.per) {
    case 'provider':
      return '';
    case 'account':
      return account;
    case 'endpoint':
      return `${account}|${call.endpoint.template}`;
    case 'param': {
      const value = limit.keyParam && paramOf(call.request, limit.keyParam);
      // A name in a key may be a person's address.
      return value ? `${account}|${createHash('sha256').update(value).digest('base64url').slice(0, 16)}` : undefined;
    }
  }
}

function paramOf({ url, headers, body }: OutboundRequest, name: string): string | undefined {
  const inQuery = url.searchParams.get(name);
  if (inQuery !== null || !body || body.byteLength > MAX_PARSED_BYTES) return inQuery ?? undefined;
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  if (!(headers.get('content-type') ?? '').includes('json')) return new URLSearchParams(text).get(name) ?? undefined;
  try {
    const value = (JSON.parse(text) as Record<string, unknown> | null)?.[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  } catch {
    return undefined;
  }
}
