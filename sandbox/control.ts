import type { Fault, Faults, FaultSpec } from './faults';
import type { Ledger, LedgerEntry, LedgerQuery } from './ledger';
import { PROVIDERS, type PerProvider } from './providers';
import type { ChangeSpec, MintSpec as ProviderMintSpec, RunningProvider } from './sandbox-provider';
import type { ConnectionCount } from './sandbox-server';
import type { Json, ProviderName } from './sandbox.types';
import { type DeliverSpec, type DeliverSummary, Storm } from './storm';
import type { WebhookSender } from './webhook-sender';

export interface SeedSpec {
  provider: ProviderName;
  account: string;
  /** One of the provider's own. */
  resource: string;
  count: number;
}

export interface MintSpec extends ProviderMintSpec {
  provider: ProviderName;
}

export interface ControlParts {
  readonly ledger: Ledger;
  readonly faults: Faults;
  readonly sender: WebhookSender;
  readonly now: () => number;
  readonly seed: number;
  readonly autoConsent: 'allow' | 'deny' | undefined;
  readonly providers: Readonly<Record<ProviderName, RunningProvider>>;
  /** Open sockets of each provider, now and at most. */
  readonly connections: () => Record<ProviderName, ConnectionCount>;
}

/** What the HTTP control API does, for callers in the same process. */
export class SandboxControl {
  private readonly storm: Storm;
  private auto: 'allow' | 'deny' | undefined;

  constructor(private readonly parts: ControlParts) {
    this.storm = new Storm(parts.sender, parts.now, parts.seed);
  }

  connections(): Record<ProviderName, ConnectionCount> {
    return this.parts.connections();
  }

  /** @throws Error with the names of those there are */
  provider(name: ProviderName): RunningProvider {
    const found = Object.hasOwn(this.parts.providers, name) ? this.parts.providers[name] : undefined;
    if (!found) throw new Error(`provider must be one of ${Object.keys(this.parts.providers).join(', ')}`);
    return found;
  }

  ledger(query: LedgerQuery = {}): LedgerEntry[] {
    return this.parts.ledger.list(query);
  }

  ledgerSummary(query: LedgerQuery = {}): Record<string, number> {
    return this.parts.ledger.summary(query);
  }

  get lastSeq(): number {
    return this.parts.ledger.lastSeq;
  }

  clearLedger(): void {
    this.parts.ledger.clear();
  }

  addFault(spec: FaultSpec): Fault {
    return this.parts.faults.add(spec);
  }

  faults(): Fault[] {
    return this.parts.faults.list();
  }

  clearFaults(filter: { id?: string; provider?: string } = {}): number {
    return this.parts.faults.clear(filter);
  }

  setWebhookTarget(origin: string | undefined): void {
    this.parts.sender.setTarget(origin);
  }

  /** Consent pages answer by themselves; undefined: a person decides again. */
  setAutoConsent(decision: 'allow' | 'deny' | undefined): void {
    this.auto = decision;
  }

  get autoConsent(): 'allow' | 'deny' | undefined {
    return this.auto ?? this.parts.autoConsent;
  }

  /** Access tokens are expired from now on; refresh tokens stay good. API keys do not expire. */
  expireTokens(provider: ProviderName, account?: string): number {
    return this.provider(provider).tokens.expireAccess(account);
  }

  /** As when the person removes the app: all tokens dead, and the provider's webhook where there is one. */
  revokeTokens(provider: ProviderName, account?: string): number {
    const from = this.provider(provider);
    const active = from.tokens.activeGrants(account);
    for (const one of new Set(active.map((grant) => grant.account))) {
      from.end?.(one);
      from.tokens.revokeGrants((grant) => grant.account === one);
    }
    return active.length;
  }

  /** A token endpoint's answer without a consent, for tests and benchmarks. */
  mint({ provider, ...spec }: MintSpec): Json {
    return this.provider(provider).mint({ ...spec, account: spec.account ?? defaultAccountOf(provider) });
  }

  /** Places in lists that were given out are refused from now on, as after their time. */
  expireCursors(account?: string): number {
    return Object.values(this.parts.providers).reduce((sum, provider) => sum + (provider.expireCursors?.(account) ?? 0), 0);
  }

  /** Many records at once, without webhooks. */
  seed({ provider, account, resource, count }: SeedSpec): void {
    this.provider(provider).seed(account || defaultAccountOf(provider), resource, count);
  }

  /** What a person would change at the provider, which tells the app of it: `change('slack', 'channels', { name: 'launch' })`. */
  change(provider: ProviderName, what: string, change: ChangeSpec = {}): Json {
    const { changes } = this.provider(provider);
    const make = Object.hasOwn(changes, what) ? changes[what] : undefined;
    if (!make) throw new Error(`${provider} has no "${what}" to change; one of ${Object.keys(changes).join(', ')}`);
    return make(change);
  }

  /** Provider and name of everything that `change` takes. */
  changeable(): [provider: ProviderName, what: string][] {
    return Object.entries(this.parts.providers).flatMap(([name, { changes }]) =>
      Object.keys(changes).map((what): [string, string] => [name, what]),
    );
  }

  deliver(spec: DeliverSpec): Promise<DeliverSummary> {
    return this.storm.run(spec, this.provider(spec.provider), defaultAccountOf(spec.provider));
  }

  /** Waits until queued webhooks are delivered or given up; false at the deadline. */
  settle(timeoutMs = 10_000): Promise<boolean> {
    return this.parts.sender.settle(timeoutMs);
  }

  /** What there is now, by provider and account. */
  state(): PerProvider<Json> {
    return Object.fromEntries(Object.entries(this.parts.providers).map(([name, provider]) => [name, provider.view()])) as PerProvider<Json>;
  }
}

function defaultAccountOf(name: ProviderName): string {
  return PROVIDERS.find((provider) => provider.name === name)?.defaultAccount ?? '';
}
