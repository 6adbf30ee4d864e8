import { basePathOf, withoutBase } from '../../config/base-path';
import { IntegrationError } from '../../errors';

/** Addresses that do something by being opened. Nobody is led there afterwards: a link would go on to the next deed. */
const FLOWS = new Set(['session', 'connect', 'auth']);

/**
 * A path of our own, whatever the browser makes of the text: `//evil`, `/\evil` and the like lead elsewhere. It comes with our base path or
 * without, and leaves without.
 * @throws IntegrationError `invalid_return_to`
 */
export function localPath(to: string, publicUrl: string): string {
  const origin = new URL(publicUrl).origin;
  const parsed = /^\/(?![/\\])[^\\\s]*$/.test(to) && URL.canParse(to, origin) ? new URL(to, origin) : undefined;
  const path = parsed && withoutBase(basePathOf(publicUrl), parsed.pathname);
  if (parsed?.origin !== origin || path === undefined || path.startsWith('//') || leadsIntoFlow(path))
    throw new IntegrationError('invalid_return_to');
  return path + parsed.search + parsed.hash;
}

/** Whether a path of this service is `/session`, `/connect` or `/auth`, or below, however it is spelt. */
export function leadsIntoFlow(pathname: string): boolean {
  const [first = ''] = decoded(pathname)
    .toLowerCase()
    .split(/[/\\;?#]+/)
    .filter((part) => part !== '' && part !== '.');
  return FLOWS.has(first);
}

function decoded(text: string): string {
  let current = text;
  for (let times = 0; times < 3; times++) {
    try {
      const next = decodeURIComponent(current);
      if (next === current) break;
      current = next;
    } catch {
      break;
    }
  }
  return current;
}
