import type OAuth2Strategy from 'passport-oauth2';

/** Exchanges a code for tokens; calls back with an error, or with the access token, the refresh token and the answer. */
export type CodeExchange = (
  code: string,
  params: Record<string, string>,
  callback: (error: unknown, accessToken?: string, refreshToken?: string, answer?: never) => void,
) => void;

/**
 * The one place where a private member of a library is written: `_oauth2` of passport-oauth2, which its own strategies replace as well, since
 * there is no public way to exchange the code otherwise. `passport-seam.spec.ts` fails where an upgrade takes it away.
 */
export function exchangeCodeWith(strategy: OAuth2Strategy, exchange: CodeExchange): void {
  const { _oauth2: client } = strategy as unknown as { readonly _oauth2?: { getOAuthAccessToken?: unknown } };
  if (typeof client?.getOAuthAccessToken !== 'function')
    throw new Error('passport-oauth2 no longer exchanges codes by _oauth2.getOAuthAccessToken; see passport-seam.ts.');
  Object.assign(client, { getOAuthAccessToken: exchange });
}
