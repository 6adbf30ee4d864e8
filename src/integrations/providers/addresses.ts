import type { Provider } from '../contract';
import { isConsented } from './minted';

/** What has to be entered in the provider's own settings, where the provider has such. */
export interface RegisteredAddresses {
  /** The redirect address of OAuth. */
  readonly redirect?: string;
  /** Where its webhooks go. */
  readonly webhooks?: string;
}

export function redirectAddress(publicUrl: string, key: string): string {
  return `${publicUrl}/auth/${key}/callback`;
}

/** @param publicUrl where the service is reached, without a trailing slash */
export function addressesToRegister(
  {
    key,
    oauth2,
    webhooks,
  }: { readonly key: string; readonly oauth2?: Pick<NonNullable<Provider['oauth2']>, 'grant'>; readonly webhooks?: unknown },
  publicUrl: string,
): RegisteredAddresses {
  return {
    ...(isConsented(oauth2) && { redirect: redirectAddress(publicUrl, key) }),
    ...(webhooks !== undefined && { webhooks: `${publicUrl}/webhooks/${key}` }),
  };
}
