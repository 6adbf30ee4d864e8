import type { OAuth2Facts } from '../contract';
import { isMinted } from './minted';

/** Whose a refusal is at the authorize or token endpoint, by the provider's code; undefined where nobody knows it. */
export function refusalOf(
  { refusalCodes, clientFaultCodes, organizationCodes, grant }: OAuth2Facts,
  providerCode: string,
): 'needs_reauth' | 'provider_misconfigured' | 'organization_forbids' | undefined {
  if (refusalCodes.includes(providerCode)) return 'needs_reauth';
  // What a person filled in is the person's.
  if (clientFaultCodes.includes(providerCode)) return isMinted({ grant }) ? 'needs_reauth' : 'provider_misconfigured';
  return organizationCodes?.includes(providerCode) ? 'organization_forbids' : undefined;
}

/** Whether a sign-in call refused what a person filled in. A 403 that is not JSON is a gate's before the provider, and says nothing of that. */
export function isRefusedSignIn({ grant }: OAuth2Facts, status: number, json: unknown): boolean {
  return grant === 'login' && (status === 401 || (status === 403 && typeof json === 'object' && json !== null));
}
