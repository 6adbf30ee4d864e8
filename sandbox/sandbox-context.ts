import type { Faults } from './faults';
import type { Ledger } from './ledger';
import type { SandboxOptions } from './sandbox.types';
import type { WebhookSender } from './webhook-sender';

/** What a real provider would hand out when an app is registered. */
export interface ProviderSecrets {
  clientId: string;
  clientSecret: string;
  /** Signs the deliveries, where that is done with a shared secret. */
  webhookSecret: string;
}

/** What every pretend provider is given. */
export interface SandboxContext {
  options: SandboxOptions;
  secrets: ProviderSecrets;
  seed: number;
  now: () => number;
  ledger: Ledger;
  faults: Faults;
  sender: WebhookSender;
  /** Asks for a snapshot of the state soon. */
  changed: () => void;
  autoConsent: () => 'allow' | 'deny' | undefined;
}
