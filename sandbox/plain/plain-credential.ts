import type { IncomingHttpHeaders } from 'node:http';
import { bearerOf } from './plain-installations';
import type { PlainWorld } from './plain-world';

export interface Shown {
  readonly headers: IncomingHttpHeaders;
  readonly query: URLSearchParams;
}

/** Whether a call shows what the declaration says it must: a token that is good, or the key. */
export function verdictOn(world: PlainWorld, { headers, query }: Shown): 'good' | 'bad' | 'expired' {
  const { credential, oauth2, apiKey, app, headers: fixed = {} } = world.declaration;
  for (const [name, value] of Object.entries(fixed)) {
    const wanted = value.replaceAll('{clientId}', world.clientId).replace(/\{(\w+)\}/g, (_, each: string) => world.values[each] ?? '');
    if (headers[name.toLowerCase()] !== wanted) return 'bad';
  }
  const asApp = `Basic ${Buffer.from(`${world.clientId}:${world.clientSecret}`).toString('base64')}`;
  if (app?.by === 'basic' && headers.authorization === asApp) return 'good';
  if (app?.by === 'jwt' && world.installations.isAppJwt(bearerOf(headers))) return 'good';
  const ways = [
    ...(oauth2 ? [{ how: oauth2.credential ?? credential ?? ({ in: 'bearer' } as const), isToken: true }] : []),
    ...(apiKey ? [{ how: apiKey.credential ?? credential ?? ({ in: 'bearer' } as const), isToken: false }] : []),
  ];
  let expired = false;
  for (const { how, isToken } of ways) {
    const known = isToken ? world.grants.filter(({ revoked }) => !revoked).map(({ access }) => access) : world.admits ? [world.key] : [];
    for (const key of known) {
      const fill = (text: string) => text.replace(/\{(\w+)\}/g, (_, name: string) => (name === 'key' ? key : (world.values[name] ?? '')));
      const further = Object.entries(how.headers ?? {}).every(([name, value]) => headers[name.toLowerCase()] === fill(value));
      const { name = 'authorization', prefix = '' } = how;
      const shown =
        how.in === 'query'
          ? query.get(name) === key
          : how.in === 'header'
            ? headers[name.toLowerCase()] === `${prefix}${key}`
            : how.in === 'basic'
              ? headers.authorization ===
                `Basic ${Buffer.from(`${fill(how.user ?? '{key}')}:${fill(how.password ?? '')}`).toString('base64')}`
              : headers.authorization === `Bearer ${key}`;
      if (!shown || !further) continue;
      if (!isToken || !world.credentialOf(key)?.expired) return 'good';
      expired = true;
    }
  }
  return expired ? 'expired' : 'bad';
}
