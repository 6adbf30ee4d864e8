import type { Faults } from './faults';
import type { Ledger } from './ledger';
import type { SandboxOptions } from './sandbox.types';
import type { WebhookSender } from './webhook-sender';

/** Secrets that a real provider would hand out at app registration. */
export interface SandboxSecrets {
  slackClientId: string;
  slackClientSecret: string;
  slackSigningSecret: string;
  stripeClientId: string;
  stripeSecretKey: string;
  stripeWebhookSecret: string;
  googleClientId: string;
  googleClientSecret: string;
}

/** What every pretend provider is given. */
export interface SandboxContext {
  options: SandboxOptions;
  secrets: SandboxSecrets;
  seed: number;
  now: () => number;
  ledger: Ledger;
  faults: Faults;
  sender: WebhookSender;
  /** Asks for a snapshot of the state soon. */
  changed: () => void;
  autoConsent: () => 'allow' | 'deny' | undefined;
}
