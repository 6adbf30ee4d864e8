import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { findIntegrationError } from '../../errors';
import type { Provider } from '../contract';
import { ConnectionCounts, TokenEndpoint } from '../connections';
import { addressesToRegister, isConsented, ProviderRegistry, redirectAddress } from '../providers';
import { WebhookArrivals, type Arrivals } from '../webhooks';

export const SETUP_CHECKS = ['credentials', 'client', 'address', 'webhooks', 'clock'] as const;
export const SETUP_STATES = ['ok', 'attention', 'fault', 'unknown'] as const;

/** One thing that was looked at. */
export interface SetupFinding {
  readonly check: (typeof SETUP_CHECKS)[number];
  readonly state: (typeof SETUP_STATES)[number];
  /** One sentence: what was seen. */
  readonly detail: string;
  /** One sentence: what to do; null where nothing is to be done. */
  readonly nextStep: string | null;
}

/** How this server is set up for a provider. */
export interface ProviderSetup {
  readonly provider: string;
  /** To be registered there; null where there is no such. */
  readonly redirect: string | null;
  readonly webhooks: string | null;
  readonly lastWebhook: string | null;
  /** What came to this process as the secret of webhooks, newest first: from anybody, so the provider is asked which one is its own. */
  readonly toldSecrets: readonly { readonly secret: string; readonly receivedAt: string }[];
  readonly findings: readonly SetupFinding[];
}

const HOUR_MS = 3_600_000;
/** Without a delivery for so long, while somebody is connected, somebody should look. */
const SILENT_AFTER_MS = 24 * HOUR_MS;
const CLOCKS_MAY_DIFFER_MS = 5_000;

/** Looks whether this server is set up right for a provider: what is missing, what was refused, what does not arrive. */
@Injectable()
export class ProviderSetupCheck {
  constructor(
    private readonly registry: ProviderRegistry,
    private readonly counts: ConnectionCounts,
    private readonly tokens: TokenEndpoint,
    private readonly arrivals: WebhookArrivals,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'publicUrl'>,
  ) {}

  /** From what is known; nothing is asked of the provider. @throws IntegrationError `provider_unknown` */
  async look(key: string): Promise<ProviderSetup> {
    const provider = this.registry.get(key);
    const arrivals = await this.arrivals.of(key);
    const connected = (await this.counts.ofProviders(undefined, key)).get(key)?.connected ?? 0;
    const { redirect = null, webhooks = null } = addressesToRegister(provider, this.settings.publicUrl);
    const toldSecrets = (provider.webhooks?.toldSecrets?.() ?? []).map(({ secret, receivedAt }) => ({
      secret,
      receivedAt: new Date(receivedAt).toISOString(),
    }));
    const findings = [
      credentials(provider),
      ...(redirect !== null || webhooks !== null ? [address(this.settings.publicUrl)] : []),
      ...(provider.webhooks ? [this.deliveries(provider, arrivals, connected)] : []),
      this.clocks(arrivals),
    ];
    return { provider: key, redirect, webhooks, lastWebhook: arrivals.lastReceived, toldSecrets, findings };
  }

  /** The same, and asks the provider whether it knows our client: with a code that nobody was given, which it refuses. */
  async ask(key: string): Promise<ProviderSetup> {
    const seen = await this.look(key);
    const provider = this.registry.get(key);
    if (!provider.configured || !isConsented(provider.oauth2)) return seen;
    const [first, ...others] = seen.findings;
    return { ...seen, findings: [...(first ? [first] : []), await this.client(provider), ...others] };
  }

  private async client(provider: Provider): Promise<SetupFinding> {
    const finding = (state: SetupFinding['state'], detail: string, nextStep: string | null = null): SetupFinding => ({
      check: 'client',
      state,
      detail,
      nextStep,
    });
    try {
      await this.tokens.exchange(
        provider,
        { redirect_uri: redirectAddress(this.settings.publicUrl, provider.key) },
        `check-${randomUUID()}`,
      );
    } catch (error) {
      const found = findIntegrationError(error);
      const code = found?.providerCode === undefined ? '' : ` ("${found.providerCode}")`;
      if (found?.code === 'provider_misconfigured')
        return finding(
          'fault',
          `${provider.name} does not take our client id, secret or redirect address${code}.`,
          `Compare ${prefixOf(provider)}_CLIENT_ID, ${prefixOf(provider)}_CLIENT_SECRET and PUBLIC_URL with what is registered there.`,
        );
      if (found?.code === 'needs_reauth' || found?.code === 'connect_failed')
        return finding('ok', `${provider.name} knows our client: it refused the made-up code alone${code}.`);
      return finding(
        'unknown',
        `${provider.name} could not be asked: ${found ? found.message : 'it did not answer as expected.'}`,
        'Try again later.',
      );
    }
    return finding('unknown', `${provider.name} took a code that was made up.`, 'See whether its address is the right one.');
  }

  private deliveries({ name, key, webhooks }: Provider, { lastReceived, refused24h }: Arrivals, connected: number): SetupFinding {
    const refused = Object.values(refused24h).reduce((sum, count) => sum + count, 0);
    const causes = Object.entries(refused24h).map(([cause, count]) => `${count} ${cause}`);
    const finding = (state: SetupFinding['state'], detail: string, nextStep: string | null = null): SetupFinding => ({
      check: 'webhooks',
      state,
      detail,
      nextStep,
    });
    const told = webhooks?.toldSecrets?.() ?? [];
    if (webhooks && !webhooks.configured && told[0])
      // How many, and not which: whoever looks over a shoulder learns nothing.
      return finding(
        'fault',
        `There is nothing to verify its deliveries with: each is refused. ${told.length === 1 ? 'A secret' : `${told.length} secrets`} came to this process unsigned, the newest at ${new Date(told[0].receivedAt).toISOString()}.`,
        `Read it with GET /v1/admin/providers/${key}/setup (toldSecrets), enter it at ${name}, and set it once ${name} has taken it. The newest ten are kept: where it is none of them, have ${name} send it again.`,
      );
    if (webhooks && !webhooks.configured)
      return finding(
        'fault',
        'There is nothing to verify its deliveries with: each is refused.',
        `Set the secret of its webhooks (docs/providers/${key}.md).`,
      );
    const isSilent = lastReceived === null || this.clock.now() - Date.parse(lastReceived) > SILENT_AFTER_MS;
    const seen = lastReceived === null ? 'No delivery has been taken yet' : `The last delivery was taken at ${lastReceived}`;
    if (refused > 0)
      return finding(
        isSilent ? 'fault' : 'attention',
        `${refused} deliveries were refused in the last 24 hours (${causes.join(', ')}). ${seen}.`,
        `Compare the secret that is set here with the one at ${name}; single forgeries need nothing.`,
      );
    if (!isSilent) return finding('ok', `${seen}.`);
    if (connected === 0) return finding('unknown', `${seen}; nobody is connected.`);
    return finding(
      'attention',
      `${seen}, none in the last 24 hours.`,
      `Send a test from ${name}'s settings, and compare the address that is registered there.`,
    );
  }

  private clocks({ databaseNow, refused24h }: Arrivals): SetupFinding {
    const apart = Math.abs(this.clock.now() - databaseNow);
    const skewed = refused24h['clock_skew'] ?? 0;
    const advice = 'Compare the clocks of the machines that run this service with a time server.';
    if (apart > CLOCKS_MAY_DIFFER_MS)
      return {
        check: 'clock',
        state: 'fault',
        detail: `The clocks of this process and of the database are ${Math.round(apart / 1_000)} s apart.`,
        nextStep: advice,
      };
    if (skewed > 0)
      return {
        check: 'clock',
        state: 'attention',
        detail: `${skewed} well signed deliveries were refused for their time in the last 24 hours.`,
        nextStep: advice,
      };
    return { check: 'clock', state: 'ok', detail: 'The clocks of this process and of the database agree.', nextStep: null };
  }
}

function credentials(provider: Provider): SetupFinding {
  const { configured, oauth2, name } = provider;
  const isOurs = isConsented(oauth2);
  if (configured)
    return {
      check: 'credentials',
      state: 'ok',
      detail: isOurs ? 'A client is set up.' : 'Each person gives credentials of their own.',
      nextStep: null,
    };
  return {
    check: 'credentials',
    state: 'fault',
    detail: 'It is not set up here: nobody can connect it.',
    nextStep: `Register an app at ${name}, and set ${prefixOf(provider)}_CLIENT_ID and ${prefixOf(provider)}_CLIENT_SECRET.`,
  };
}

function address(publicUrl: string): SetupFinding {
  const { protocol, hostname } = new URL(publicUrl);
  if (/^(localhost|127\.|\[::1\])/.test(hostname))
    return {
      check: 'address',
      state: 'attention',
      detail: `PUBLIC_URL is ${publicUrl}, which nobody reaches from outside.`,
      nextStep: 'Set PUBLIC_URL to the address under which this service is reached.',
    };
  if (protocol !== 'https:')
    return {
      check: 'address',
      state: 'attention',
      detail: `PUBLIC_URL is ${publicUrl}, without https: most providers take no such address.`,
      nextStep: 'Put TLS before the service, and set PUBLIC_URL to it.',
    };
  return { check: 'address', state: 'ok', detail: `PUBLIC_URL is ${publicUrl}.`, nextStep: null };
}

function prefixOf({ key }: Provider): string {
  return key.toUpperCase().replaceAll('-', '_');
}
