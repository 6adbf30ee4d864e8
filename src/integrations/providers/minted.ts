import type { OAuth2Facts } from '../contract';

/** Whether nobody consents: its tokens are minted for what a person fills in, now and whenever one ends. */
export function isMinted(oauth2: Pick<OAuth2Facts, 'grant'> | undefined): boolean {
  return oauth2?.grant === 'client_credentials' || oauth2?.grant === 'login';
}
