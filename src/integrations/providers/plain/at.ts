import { ownProperty, pointed } from '../pointed';
import type { At } from './plain-provider';

/** Where values may come from; each reading has some of these. */
export interface Sources {
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly query?: URLSearchParams;
  readonly callback?: Readonly<Record<string, string>>;
  readonly token?: unknown;
  readonly ask?: Readonly<Record<string, unknown>>;
  readonly watch?: Readonly<Record<string, unknown>>;
}

/** A value that is kept or put into an address is no longer than this. */
const MAX_CHARS = 1_000;

/** The first value that is there; null counts as not there. */
export function valueAt(at: At | undefined, from: Sources): unknown {
  if (at === undefined) return undefined;
  for (const place of typeof at === 'string' ? [at] : at) {
    const value = read(place, from);
    if (value !== undefined && value !== null && value !== '') return value;
  }
  return undefined;
}

/** The value as text where it is a text, a number or a truth value. */
export function textAt(at: At | undefined, from: Sources): string | undefined {
  const value = valueAt(at, from);
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  const text = String(value);
  return text.length > 0 && text.length <= MAX_CHARS ? text : undefined;
}

function read(place: string, from: Sources): unknown {
  if (place === '' || place.startsWith('/')) return pointed(from.json, place);
  if (place.startsWith('=')) return place.slice(1);
  const colon = place.indexOf(':');
  const name = place.slice(colon + 1);
  switch (place.slice(0, colon)) {
    case 'header': {
      const value = from.headers?.[name.toLowerCase()];
      return typeof value === 'string' ? value : undefined;
    }
    case 'query':
      return from.query?.get(name) ?? undefined;
    case 'callback':
      return ownProperty(from.callback, name);
    case 'ask':
      return ownProperty(from.ask, name);
    case 'watch':
      return ownProperty(from.watch, name);
    case 'origin': {
      const address = pointed(from.json, name);
      return typeof address === 'string' && URL.canParse(address) ? new URL(address).origin : undefined;
    }
    case 'token':
      return pointed(from.token, name);
    case 'id_token':
      return pointed(claimsOf(ownProperty(from.token, 'id_token')), name);
    default:
      throw new Error(`"${place}" is no place that a value can stand in.`);
  }
}

/** The claims of a token that came from the token endpoint itself, over TLS: its signature proves nothing more (OpenID Connect Core, 3.1.3.7). */
function claimsOf(token: unknown): unknown {
  if (typeof token !== 'string') return undefined;
  try {
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
