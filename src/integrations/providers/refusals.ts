import type { OAuth2Facts } from '../contract';

/** Whose a refusal is at the authorize or token endpoint, by the provider's code; undefined where nobody knows it. */
export function refusalOf(
  { refusalCodes, clientFaultCodes, organizationCodes, grant }: OAuth2Facts,
  providerCode: string,
): 'needs_reauth' | 'provider_misconfigured' | 'organization_forbids' | undefined {
  if (refusalCodes.includes(providerCode)) return 'needs_reauth';
  // Where a person filled in the client, it is the person's.
  if (clientFaultCodes.includes(providerCode)) return grant === 'client_credentials' ? 'needs_reauth' : 'provider_misconfigured';
  return organizationCodes?.includes(providerCode) ? 'organization_forbids' : undefined;
}
