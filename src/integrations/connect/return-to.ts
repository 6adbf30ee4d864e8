import { basePathOf, withoutBase } from '../../config/base-path';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import { leadsIntoFlow } from '../../http-api';

const MAX_LENGTH = 2_000;
/** Where a browser goes when the caller named nothing: a page that needs no session, and says what happened. */
export const DONE_PATH = '/connect/done';
/** Backslashes, white space and control characters are read differently by browsers and by parsers: none is taken. */
const UNSAFE = /[\\\s\p{Cc}\p{Cf}]/u;
/** One slash and then anything but another, plain or percent-encoded. */
const OWN_PATH = /^\/(?!\/|%2f|%5c)/i;
const ABSOLUTE = /^https?:\/\/[^/]/i;

type Allowed = Pick<Settings, 'publicUrl' | 'returnToOrigins'>;

/**
 * The address to send the browser back to: a path of this service, or an http(s) address whose origin is allowed.
 * @throws IntegrationError `invalid_return_to`
 */
export function resolveReturnTo(returnTo: string | null | undefined, settings: Allowed): URL {
  const text = returnTo ?? DONE_PATH;
  if (text.length > MAX_LENGTH || UNSAFE.test(text) || !(OWN_PATH.test(text) || ABSOLUTE.test(text)))
    throw new IntegrationError('invalid_return_to');
  const basePath = basePathOf(settings.publicUrl);
  let url: URL;
  try {
    url = new URL(text.startsWith('/') ? basePath + withoutBase(basePath, text) : text, settings.publicUrl);
  } catch (cause) {
    throw new IntegrationError('invalid_return_to', { cause });
  }
  if (url.username !== '' || url.password !== '' || !settings.returnToOrigins.includes(url.origin))
    throw new IntegrationError('invalid_return_to');
  const isOwn = url.origin === new URL(settings.publicUrl).origin;
  const path = withoutBase(basePath, url.pathname);
  if (isOwn && path !== DONE_PATH && leadsIntoFlow(path)) throw new IntegrationError('invalid_return_to');
  return url;
}

/** The same address with the outcome in its query; what an earlier flow left there is removed. */
export function withOutcome(returnTo: URL, outcome: Readonly<Record<string, string>>): string {
  const url = new URL(returnTo);
  for (const name of ['success', 'connection', 'connections', 'error']) url.searchParams.delete(name);
  for (const [name, value] of Object.entries(outcome)) url.searchParams.set(name, value);
  return url.href;
}
