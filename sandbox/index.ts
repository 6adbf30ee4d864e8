/** Local Slack, Stripe and Google for the demo, the tests and the fault runs; never for production. */
import { SandboxControl } from './control';
import { listenForControl } from './control-server';
import { Faults } from './faults';
import { PUBSUB_AUDIENCE, PUBSUB_EMAIL } from './google/google.push';
import { ISSUER } from './google/google.oauth';
import { GoogleSandbox } from './google/google.server';
import { Ledger } from './ledger';
import type { SandboxContext } from './sandbox-context';
import { SandboxServer } from './sandbox-server';
import type { ProviderName, ProviderSurface, SandboxOptions } from './sandbox.types';
import { SlackSandbox } from './slack/slack.server';
import { StateFile } from './state-file';
import { StripeSandbox } from './stripe/stripe.server';
import { WebhookSender } from './webhook-sender';

export type { MintSpec, SandboxControl, SeedSpec } from './control';
export { FAULT_KINDS, type Fault, type FaultKind, type FaultSpec } from './faults';
export type { ChangeSpec } from './remote-changes';
export type { LedgerEntry, LedgerQuery } from './ledger';
export type { ProviderName, SandboxOptions } from './sandbox.types';
export type { DeliverSpec, DeliverSummary, Forge } from './storm';

/** A running sandbox. */
export interface Sandbox {
  /** Origins, without a trailing slash. */
  urls: Record<ProviderName | 'control', string>;
  /** The settings that point the service at the sandbox. */
  env(): Record<string, string>;
  /** Where webhooks go; several origins, separated by commas, are used in turn. */
  setWebhookTarget(origin: string): void;
  /** The verbs of the HTTP control API, in process. */
  control: SandboxControl;
  /** Ends every connection, hung ones included, and writes the state file. */
  stop(): Promise<void>;
}

const DEFAULT_RETRY_MS = [50, 200, 1000];

/** Starts the three providers and the control API on loopback ports. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const now = options.now ?? Date.now;
  const file = new StateFile(options.stateFile);
  const { state } = file;
  const seed = options.seed ?? 1;
  const ledger = new Ledger(now, options.ledgerFile);
  const faults = new Faults(now, seed);
  const sender = new WebhookSender(ledger, options.webhookRetryMs ?? DEFAULT_RETRY_MS, options.webhookConcurrency ?? 16, now);
  sender.setTarget(options.webhookTarget);
  const context: SandboxContext = {
    options,
    secrets: state.secrets,
    seed,
    now,
    ledger,
    faults,
    sender,
    changed: file.changed,
    autoConsent: () => control.autoConsent,
  };
  const providers = {
    slack: new SlackSandbox(context, state.slack),
    stripe: new StripeSandbox(context, state.stripe),
    google: new GoogleSandbox(context, state.google),
  };
  const control = new SandboxControl(context, providers, () => ({
    slack: servers.slack.connections(),
    stripe: servers.stripe.connections(),
    google: servers.google.connections(),
  }));

  const listen = (name: ProviderName, surface: ProviderSurface): ReturnType<SandboxServer['listen']> =>
    new SandboxServer(surface, { ledger, faults }).listen(options.ports?.[name] ?? 0);
  const servers = {
    slack: await listen('slack', providers.slack.surface),
    stripe: await listen('stripe', providers.stripe.surface),
    google: await listen('google', providers.google.surface),
  };
  const urls: Sandbox['urls'] = { slack: servers.slack.url, stripe: servers.stripe.url, google: servers.google.url, control: '' };
  const env = (): Record<string, string> => settingsFor(urls, state.secrets);
  const controlServer = await listenForControl(control, env, () => urls, options.ports?.control ?? 0);
  urls.control = controlServer.url;
  return {
    urls,
    env,
    control,
    setWebhookTarget: (origin) => sender.setTarget(origin),
    stop: async () => {
      sender.stop();
      await Promise.all([...Object.values(servers), controlServer].map((server) => server.stop()));
      file.save();
      ledger.stop();
    },
  };
}

function settingsFor(urls: Sandbox['urls'], secrets: SandboxContext['secrets']): Record<string, string> {
  const { slack, stripe, google } = urls;
  return {
    SLACK_CLIENT_ID: secrets.slackClientId,
    SLACK_CLIENT_SECRET: secrets.slackClientSecret,
    SLACK_SIGNING_SECRET: secrets.slackSigningSecret,
    SLACK_AUTHORIZE_URL: `${slack}/oauth/v2/authorize`,
    SLACK_TOKEN_URL: `${slack}/api/oauth.v2.access`,
    SLACK_REVOKE_URL: `${slack}/api/apps.uninstall`,
    SLACK_USERINFO_URL: `${slack}/api/auth.test`,
    SLACK_API_BASE_URL: `${slack}/api/`,
    STRIPE_CLIENT_ID: secrets.stripeClientId,
    STRIPE_SECRET_KEY: secrets.stripeSecretKey,
    STRIPE_WEBHOOK_SECRET: secrets.stripeWebhookSecret,
    STRIPE_AUTHORIZE_URL: `${stripe}/oauth/authorize`,
    STRIPE_TOKEN_URL: `${stripe}/oauth/token`,
    STRIPE_REVOKE_URL: `${stripe}/oauth/deauthorize`,
    STRIPE_USERINFO_URL: `${stripe}/v1/account`,
    STRIPE_API_BASE_URL: `${stripe}/`,
    GOOGLE_CLIENT_ID: secrets.googleClientId,
    GOOGLE_CLIENT_SECRET: secrets.googleClientSecret,
    GOOGLE_PUBSUB_AUDIENCE: PUBSUB_AUDIENCE,
    GOOGLE_PUBSUB_EMAIL: PUBSUB_EMAIL,
    GOOGLE_PUBSUB_JWKS_URL: `${google}/oauth2/v3/certs`,
    GOOGLE_PUBSUB_ISSUER: ISSUER,
    GOOGLE_AUTHORIZE_URL: `${google}/o/oauth2/v2/auth`,
    GOOGLE_TOKEN_URL: `${google}/token`,
    GOOGLE_REVOKE_URL: `${google}/revoke`,
    GOOGLE_USERINFO_URL: `${google}/v1/userinfo`,
    GOOGLE_API_BASE_URL: `${google}/`,
  };
}
