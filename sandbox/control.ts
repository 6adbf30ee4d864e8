import type { Fault, FaultSpec } from './faults';
import type { LedgerEntry, LedgerQuery } from './ledger';
import * as changes from './remote-changes';
import type { SandboxContext } from './sandbox-context';
import type { ConnectionCount } from './sandbox-server';
import type { Json, ProviderName } from './sandbox.types';
import { stateView } from './state-view';
import { type DeliverSpec, type DeliverSummary, type SandboxProviders, Storm } from './storm';

export interface SeedSpec {
  provider: ProviderName;
  account: string;
  /** Slack: channels, users; Stripe: customers; Google: events, messages. */
  resource: string;
  count: number;
}

export interface MintSpec {
  provider: ProviderName;
  account?: string;
  scopes?: string[];
  /** Slack: scopes of a user token besides the bot's. */
  userScopes?: string[];
}

const AUTH = 'https://www.googleapis.com/auth/';
const DEFAULT_SCOPES: Record<ProviderName, string[]> = {
  slack: ['chat:write', 'channels:read', 'groups:read', 'channels:history', 'users:read', 'users:read.email', 'team:read'],
  stripe: ['read_write'],
  google: ['openid', 'email', 'profile', `${AUTH}calendar`, `${AUTH}gmail.send`, `${AUTH}gmail.modify`],
};

/** What the HTTP control API does, for callers in the same process. */
export class SandboxControl {
  private readonly storm: Storm;
  private auto: 'allow' | 'deny' | undefined;

  constructor(
    private readonly context: SandboxContext,
    private readonly providers: SandboxProviders,
    /** Open sockets of each provider, now and at most. */
    readonly connections: () => Record<ProviderName, ConnectionCount>,
  ) {
    this.storm = new Storm(context, providers);
  }

  ledger(query: LedgerQuery = {}): LedgerEntry[] {
    return this.context.ledger.list(query);
  }

  ledgerSummary(query: LedgerQuery = {}): Record<string, number> {
    return this.context.ledger.summary(query);
  }

  get lastSeq(): number {
    return this.context.ledger.lastSeq;
  }

  clearLedger(): void {
    this.context.ledger.clear();
  }

  addFault(spec: FaultSpec): Fault {
    return this.context.faults.add(spec);
  }

  faults(): Fault[] {
    return this.context.faults.list();
  }

  clearFaults(filter: { id?: string; provider?: string } = {}): number {
    return this.context.faults.clear(filter);
  }

  setWebhookTarget(origin: string | undefined): void {
    this.context.sender.setTarget(origin);
  }

  /** Consent pages answer by themselves; undefined: a person decides again. */
  setAutoConsent(decision: 'allow' | 'deny' | undefined): void {
    this.auto = decision;
  }

  get autoConsent(): 'allow' | 'deny' | undefined {
    return this.auto ?? this.context.options.autoConsent;
  }

  /** Access tokens are expired from now on; refresh tokens stay good. API keys do not expire. */
  expireTokens(provider: ProviderName, account?: string): number {
    return this.providers[provider].tokens.expireAccess(account);
  }

  /** As when the person removes the app: all tokens dead, and the provider's webhook where there is one. */
  revokeTokens(provider: ProviderName, account?: string): number {
    const { slack, stripe } = this.providers;
    const active = this.providers[provider].tokens.activeGrants(account);
    for (const one of new Set(active.map((grant) => grant.account))) {
      if (provider === 'slack') slack.oauth.endInstallation(one);
      else if (provider === 'stripe') stripe.oauth.endConnection(one);
      this.providers[provider].tokens.revokeGrants((grant) => grant.account === one);
    }
    return active.length;
  }

  /** A token endpoint's answer without a consent, for tests and benchmarks. */
  mint(spec: MintSpec): Json {
    const account = spec.account ?? changes.DEFAULT_ACCOUNTS[spec.provider];
    const scopes = spec.scopes ?? DEFAULT_SCOPES[spec.provider];
    if (spec.provider === 'slack') return this.providers.slack.oauth.mint(account, scopes, spec.userScopes ?? []);
    if (spec.provider === 'stripe') return this.providers.stripe.oauth.mint(account, scopes[0] ?? 'read_write');
    return this.providers.google.oauth.mint(account, scopes);
  }

  /** A restricted Stripe key, as a person would paste it. */
  createStripeKey(account: string = changes.DEFAULT_ACCOUNTS.stripe, scopes = ['read_write']): string {
    return this.providers.stripe.oauth.createKey(account, scopes);
  }

  /** Google: sync tokens are answered 410 and history ids 404. */
  expireCursors(account?: string): number {
    return this.providers.google.world.expireCursors(account);
  }

  /** Many records at once, without webhooks. */
  seed({ provider, account, resource, count }: SeedSpec): void {
    const { slack, stripe, google } = this.providers;
    if (provider === 'slack') slack.world.fill(slack.world.team(account), resource, count);
    else if (provider === 'stripe') stripe.world.fill(stripe.world.account(account), resource, count);
    else google.world.fill(google.world.account(account), resource, count);
  }

  deliver(spec: DeliverSpec): Promise<DeliverSummary> {
    return this.storm.run(spec);
  }

  /** Waits until queued webhooks are delivered or given up; false at the deadline. */
  settle(timeoutMs = 10_000): Promise<boolean> {
    return this.context.sender.settle(timeoutMs);
  }

  slackChannel(change: changes.ChangeSpec): Json {
    return changes.changeSlackChannel(this.providers, change);
  }

  slackUser(change: changes.ChangeSpec): Json {
    return changes.changeSlackUser(this.providers, change);
  }

  /** A person writes in a channel. */
  slackMessage(change: changes.ChangeSpec & { channel?: string; text?: string; user?: string }): Json {
    return changes.writeSlackMessage(this.providers, change);
  }

  stripeCustomer(change: changes.ChangeSpec): Json {
    return changes.changeStripeCustomer(this.providers, change);
  }

  /** `pay`: the first payment succeeds; `cancel`: canceled at once; else created or updated. */
  stripeSubscription(change: changes.ChangeSpec & { action?: 'pay' | 'cancel' }): Json {
    return changes.changeStripeSubscription(this.providers, change);
  }

  googleEvent(change: changes.ChangeSpec & { calendar?: string }): Json {
    return changes.changeGoogleEvent(this.providers, change);
  }

  /** A mail comes in (or `id` + `delete`: goes). */
  googleMail(change: changes.ChangeSpec & { subject?: string; text?: string; from?: string }): Json {
    return changes.changeGoogleMail(this.providers, change);
  }

  state(): Record<ProviderName, Json> {
    return stateView(this.providers);
  }
}
