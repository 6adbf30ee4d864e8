import type { OAuth2Facts } from '../contract';

/** Whether a person consents at the provider. */
export function isConsented<Facts extends Pick<OAuth2Facts, 'grant'>>(oauth2: Facts | undefined): oauth2 is Facts {
  return oauth2 !== undefined && !isMinted(oauth2);
}

/** Whether a renewal is a new token for what is kept already, so that the old one is as good as before until it ends. */
export function isMintedAnew(oauth2: (Pick<OAuth2Facts, 'grant'> & { readonly installation?: object }) | undefined): boolean {
  return isMinted(oauth2) || oauth2?.installation !== undefined;
}

/** Whether nobody consents: its tokens are minted for what a person fills in, now and whenever one ends. */
export function isMinted(oauth2: Pick<OAuth2Facts, 'grant'> | undefined): boolean {
  return oauth2?.grant === 'client_credentials' || oauth2?.grant === 'login';
}
