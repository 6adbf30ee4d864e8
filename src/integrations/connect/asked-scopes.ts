import { IntegrationError } from '../../errors';
import type { OAuth2Facts, TokenGrant } from '../contract';

/** What a connect asks for; absent: the provider's usual scopes, and none in the person's own name. */
export interface AskedScopes {
  readonly scopes?: readonly string[];
  /** For a token of the person's own, beside that of the app. */
  readonly userScopes?: readonly string[];
}

/**
 * What a caller of the API asks for is what the operator lets the app ask for, and no more.
 * @param more allowed by the setting @throws IntegrationError `scope_not_allowed`
 */
export function assertAllowed(
  provider: string,
  { scopes: own, scopeWords = {}, userScopes }: OAuth2Facts,
  { scopes = [], userScopes: inPerson = [] }: AskedScopes,
  more: readonly string[] = [],
): void {
  const allowed = new Set([...own, ...Object.keys(scopeWords), ...more]);
  const allowedInPerson = new Set(userScopes?.allowed);
  const beyond = [...scopes.filter((scope) => !allowed.has(scope)), ...inPerson.filter((scope) => !allowedInPerson.has(scope))];
  if (beyond.length > 0)
    throw new IntegrationError('scope_not_allowed', { provider, detail: `Not allowed: ${beyond.slice(0, 10).join(', ')}.` });
}

/**
 * A script in a page connects with the usual scopes: more of them, and names that the person is shown, are the backend's to ask for.
 * @throws IntegrationError `forbidden`
 */
export function assertUsual({ scopes, userScopes, display }: AskedScopes & { readonly display?: object }): void {
  if (!scopes && !userScopes && !display) return;
  throw new IntegrationError('forbidden', {
    detail: 'A browser token connects with the usual scopes, and names nobody.',
    nextStep: 'Make this link in your backend, with a token of its own.',
  });
}

/** What a person's own token may do is not for the whole organization. @throws IntegrationError `invalid_request` */
export function askedInPerson(
  owner: 'user' | 'organization' | undefined,
  userScopes: readonly string[] = [],
): readonly string[] | undefined {
  if (userScopes.length === 0) return undefined;
  if (owner === 'organization')
    throw new IntegrationError('invalid_request', { detail: 'userScopes: a connection of the organization acts in nobody’s own name.' });
  return userScopes;
}

/** Further parameters of the authorize address. */
export function authorizeParamsOf(
  { authorizeParams, scopeSeparator, userScopes }: OAuth2Facts,
  inPerson: readonly string[] = [],
): Record<string, string> {
  return { ...authorizeParams, ...(userScopes && inPerson.length > 0 && { [userScopes.parameter]: inPerson.join(scopeSeparator) }) };
}

/**
 * What a connection holds. Calls go with its first token; scopes of another bear its kind (`user:search:read`), as what a person allowed
 * in their own name does not let the app do the same.
 */
export function scopesOf(grants: readonly TokenGrant[]): string[] {
  const [first] = grants.map(({ kind }) => kind).sort();
  return [...new Set(grants.flatMap(({ kind, scopes }) => (kind === first ? scopes : scopes.map((scope) => `${kind}:${scope}`))))];
}

/** A connection that is mended asks the person again for what it holds of them, as far as that is still allowed. */
export function heldUserScopes({ userScopes }: OAuth2Facts, held: readonly string[]): string[] | undefined {
  const again = userScopes?.allowed.filter((scope) => held.includes(`${userScopes.kind}:${scope}`));
  return again?.length ? again : undefined;
}
