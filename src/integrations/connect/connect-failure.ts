import { findIntegrationError, IntegrationError } from '../../errors';
import type { OAuth2Facts, Provider } from '../contract';
import { refusalOf } from '../providers';

/** RFC 6749, 4.1.2.1; the provider's own codes say whether the operator or the person's organization has to act. */
export function refusedAtProvider(providerCode: string, facts: OAuth2Facts, provider: string): IntegrationError {
  if (providerCode === 'access_denied') return new IntegrationError('connect_denied', { provider, providerCode });
  const code = refusalOf(facts, providerCode);
  // A grant that has ended is no answer to somebody who is about to give one.
  return new IntegrationError(code === undefined || code === 'needs_reauth' ? 'connect_failed' : code, { provider, providerCode });
}

/** Why connecting failed, as the person is told. */
export function connectFailure(error: unknown): IntegrationError {
  const found = findIntegrationError(error);
  if (!found) return new IntegrationError('connect_failed', { cause: error });
  // A code that the provider refuses: the same list of codes ends a grant.
  return found.code === 'needs_reauth'
    ? new IntegrationError('connect_failed', { providerCode: found.providerCode, providerStatus: found.providerStatus, cause: found })
    : found;
}

/** An id or secret that the provider does not know is the person's here, not ours. */
export function clientFailure(error: unknown, { key }: Provider): unknown {
  const found = findIntegrationError(error);
  const refused =
    found && (['needs_reauth', 'provider_misconfigured', 'connect_failed'].includes(found.code) || found.providerStatus === 401);
  if (!refused) return error;
  const { providerStatus, providerCode } = found;
  return new IntegrationError('credentials_rejected', { provider: key, providerStatus, providerCode, notExecuted: true, cause: found });
}

/** The chain tells of a refused token in words for a connection; here it is the key that was refused. */
export function keyFailure(error: unknown, provider: Provider): unknown {
  const found = findIntegrationError(error);
  const refused = found?.code === 'needs_reauth' || found?.providerStatus === 401 || found?.providerStatus === 403;
  if (!found || !refused || found.code === 'credentials_rejected') return found ?? error;
  return new IntegrationError('credentials_rejected', {
    nextStep: provider.apiKey?.help,
    provider: provider.key,
    providerStatus: found.providerStatus,
    providerCode: found.providerCode,
    cause: found,
  });
}
