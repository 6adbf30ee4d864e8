import { IntegrationError } from '../../../errors';

/** The path behind `/proxy/` as it was sent, not as a router decoded it. */
const PROXIED = /^\/v1\/(?:connections\/[0-9a-fA-F-]{36}|admin\/providers\/[a-z0-9-]{1,100}\/app)\/proxy\/([^?#]*)(\?[^#]*)?$/;
/** An honest path is encoded once; each further layer is an attempt to get past somebody. */
const MAX_LAYERS = 3;

/**
 * Where a proxied request goes: below the provider's API base and nowhere else.
 * @param rawUrl path and query of the request line
 * @throws IntegrationError `destination_refused` for what could lead elsewhere: another address, `..`, `\`, `@`, empty segments, encoded or not
 */
export function proxyTarget(rawUrl: string, apiBaseUrl: string): URL {
  const [, path, query = ''] = PROXIED.exec(rawUrl) ?? [];
  if (path === undefined || !isHarmless(path)) throw refused();
  const base = new URL(apiBaseUrl);
  const target = new URL(`${base.href}${path}${query}`);
  // The parser has the last word: whatever it made of the text must still be below the base.
  if (target.origin !== base.origin || !target.pathname.startsWith(base.pathname) || target.username || target.password) throw refused();
  return target;
}

function isHarmless(path: string): boolean {
  if (path.includes('@')) return false;
  let layer = path;
  for (let depth = 0; depth <= MAX_LAYERS; depth++) {
    if (!isHarmlessLayer(layer, depth)) return false;
    const decoded = decode(layer);
    if (decoded === undefined) return false;
    if (decoded === layer) return true;
    layer = decoded;
  }
  return false;
}

function isHarmlessLayer(path: string, depth: number): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\\\u0000-\u001f\u007f]/.test(path) || path.startsWith('/')) return false;
  // An encoded slash or backslash would make other segments out of one.
  if (/%(2f|5c)/i.test(path) || (depth > 0 && path.includes('//'))) return false;
  const segments = path.split('/');
  const [first = ''] = segments;
  if (/[:@]/.test(first)) return false;
  return segments.every((segment, index) => segment !== '.' && segment !== '..' && (segment !== '' || index === segments.length - 1));
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function refused(): IntegrationError {
  return new IntegrationError('destination_refused', {
    notExecuted: true,
    detail: 'The path leads outside of the provider’s API.',
    nextStep: 'Send the path below the API’s base, encoded once.',
  });
}
