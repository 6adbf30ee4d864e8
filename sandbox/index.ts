/** Local providers for the demo, the tests and the fault runs; never for production. */
import { SandboxControl } from './control';
import { listenForControl } from './control-server';
import { Faults } from './faults';
import { Ledger } from './ledger';
import { type PerProvider, PROVIDERS } from './providers';
import type { RunningProvider } from './sandbox-provider';
import { type ListeningServer, SandboxServer } from './sandbox-server';
import type { SandboxOptions } from './sandbox.types';
import { StateFile } from './state-file';
import { WebhookSender } from './webhook-sender';

export type { MintSpec, SandboxControl, SeedSpec } from './control';
export { FAULT_KINDS, type Fault, type FaultKind, type FaultSpec } from './faults';
export type { ChangeSpec } from './sandbox-provider';
export type { LedgerEntry, LedgerQuery } from './ledger';
export type { Forge, ProviderName, SandboxOptions } from './sandbox.types';
export type { DeliverSpec, DeliverSummary } from './storm';

/** A running sandbox. */
export interface Sandbox {
  /** Origins, without a trailing slash. */
  urls: PerProvider<string> & { control: string };
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

/** Starts the providers and the control API on loopback ports. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const now = options.now ?? Date.now;
  const seed = options.seed ?? 1;
  const file = new StateFile(options.stateFile);
  const ledger = new Ledger(now, options.ledgerFile);
  const faults = new Faults(now, seed);
  const timeoutsMs = Object.fromEntries(PROVIDERS.map(({ name, deliveryTimeoutMs }) => [name, deliveryTimeoutMs]));
  const sender = new WebhookSender(ledger, options.webhookRetryMs ?? DEFAULT_RETRY_MS, options.webhookConcurrency ?? 16, now, timeoutsMs);
  sender.setTarget(options.webhookTarget);

  const providers: Record<string, RunningProvider> = {};
  const servers: Record<string, ListeningServer> = {};
  const control = new SandboxControl({
    ...{ ledger, faults, sender, now, seed, providers },
    autoConsent: options.autoConsent,
    connections: () => Object.fromEntries(Object.entries(servers).map(([name, server]) => [name, server.connections()])),
  });
  for (const provider of PROVIDERS) {
    const { secrets: kept, state } = file.of(provider);
    const webhookSecret = options.webhookSecrets?.[provider.name] ?? kept.webhookSecret;
    const secrets = { ...kept, webhookSecret };
    const context = {
      ...{ options, secrets, seed, now, ledger, faults, sender },
      changed: file.changed,
      autoConsent: () => control.autoConsent,
    };
    const running = provider.start(context, state);
    providers[provider.name] = running;
    servers[provider.name] = await new SandboxServer(running.surface, { ledger, faults }).listen(options.ports?.[provider.name] ?? 0);
  }

  const urls = { ...Object.fromEntries(Object.entries(servers).map(([name, { url }]) => [name, url])), control: '' } as Sandbox['urls'];
  const env = (): Record<string, string> =>
    Object.assign({}, ...Object.entries(providers).map(([name, provider]) => provider.settings(urls[name] as string))) as Record<
      string,
      string
    >;
  const controlServer = await listenForControl(control, env, () => urls, options.ports?.['control'] ?? 0);
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
