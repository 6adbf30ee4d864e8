import { IntegrationError } from '../../../errors';
import type { InstallationFacts } from '../../contract';
import { textAt, valueAt } from './at';
import type { PlainAddresses } from './plain-addresses';
import { faultIn } from './plain-http';
import type { PlainProvider } from './plain-provider';

/** How tokens of installations are minted, as declared. */
export function plainInstallation({ key, oauth2, faults = [] }: PlainProvider, addresses: PlainAddresses): InstallationFacts | undefined {
  const { installation } = oauth2 ?? {};
  if (!installation) return undefined;
  const { path, token } = installation;
  const told = [...installation.faults, ...faults];
  return {
    tokenUrl: (values) => addresses.below(path, values),
    read: (json, now) => {
      const accessToken = valueAt(token.access, { json });
      if (typeof accessToken !== 'string') throw new IntegrationError('provider_bad_answer', { provider: key });
      const expiresInS = (Date.parse(textAt(token.expiresAt, { json }) ?? '') - now) / 1_000;
      return { kind: 'default', accessToken, scopes: [], ...(expiresInS > 0 && { expiresInS }) };
    },
    readFault: (answer) => (answer.status === 401 ? undefined : faultIn(told, answer)),
  };
}
