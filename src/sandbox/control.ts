import type { Fault, FaultSpec } from './faults';
import { record, text } from './form-body';
import { parseMail } from './google/mail-parser';
import type { LedgerEntry, LedgerQuery } from './ledger';
import type { SandboxContext } from './sandbox-context';
import type { Json, ProviderName } from './sandbox.types';
import { Storm, type DeliverSpec, type DeliverSummary, type SandboxProviders } from './storm';
import { NO_CAUSE } from './stripe/stripe.world';

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

/** `id` absent: create; `delete: true`: delete; else change. */
export interface ChangeSpec extends Json {
  account?: string;
  id?: string;
  delete?: boolean;
}

const DEFAULT_SCOPES: Record<ProviderName, string[]> = {
  slack: ['chat:write', 'channels:read', 'groups:read', 'channels:history', 'users:read', 'users:read.email', 'team:read'],
  stripe: ['read_write'],
  google: [
    'openid',
    'email',
    'profile',
    'https://www.googleapis.com/auth/calendar',
    'https://www.googleapis.com/auth/gmail.send',
    'https://www.googleapis.com/auth/gmail.modify',
  ],
};
const DEFAULT_ACCOUNTS: Record<ProviderName, string> = { slack: 'T_ACME', stripe: 'acct_1SandboxAcme', google: 'ada@acme.test' };

/** What the HTTP control API does, for callers in the same process. */
export class SandboxControl {
  private readonly storm: Storm;
  private auto: 'allow' | 'deny' | undefined;

  constructor(
    private readonly context: SandboxContext,
    private readonly providers: SandboxProviders,
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

  /** Access tokens are expired from now on; refresh tokens stay good. Stripe's tokens do not expire. */
  expireTokens(provider: ProviderName, account?: string): number {
    return this.providers[provider].tokens.expireAccess(account);
  }

  /** As when the person removes the app: all tokens dead, and the provider's webhook where there is one. */
  revokeTokens(provider: ProviderName, account?: string): number {
    const accounts = account ? [account] : [...new Set(this.providers[provider].tokens.activeGrants().map((grant) => grant.account))];
    let count = 0;
    for (const one of accounts) {
      if (provider === 'slack') count += this.providers.slack.oauth.endInstallation(one);
      else if (provider === 'stripe')
        count +=
          this.providers.stripe.oauth.endConnection(one) +
          this.providers.stripe.tokens.revokeGrants((grant) => grant.account === one).length;
      else count += this.providers.google.tokens.revokeGrants((grant) => grant.account === one).length;
    }
    return count;
  }

  /** A token endpoint's answer without a consent, for tests and benchmarks. */
  mint(spec: MintSpec): Json {
    const account = spec.account ?? DEFAULT_ACCOUNTS[spec.provider];
    const scopes = spec.scopes ?? DEFAULT_SCOPES[spec.provider];
    if (spec.provider === 'slack') return this.providers.slack.oauth.mint(account, scopes, spec.userScopes ?? []);
    if (spec.provider === 'stripe') return this.providers.stripe.oauth.mint(account, scopes[0] ?? 'read_write');
    return this.providers.google.oauth.mint(account, scopes);
  }

  /** A restricted Stripe key, as a person would paste it. */
  createStripeKey(account = DEFAULT_ACCOUNTS.stripe, scopes = ['read_write']): string {
    return this.providers.stripe.oauth.createKey(account, scopes);
  }

  expireCursors(account?: string): number {
    return this.providers.google.world.expireCursors(account);
  }

  seed({ provider, account, resource, count }: SeedSpec): void {
    if (provider === 'slack') this.providers.slack.world.fill(this.providers.slack.world.team(account), resource, count);
    else if (provider === 'stripe') this.providers.stripe.world.fill(this.providers.stripe.world.account(account), resource, count);
    else this.providers.google.world.fill(this.providers.google.world.account(account), resource, count);
  }

  deliver(spec: DeliverSpec): Promise<DeliverSummary> {
    return this.storm.run(spec);
  }

  /** Waits until queued webhooks are delivered or given up; false at the deadline. */
  settle(timeoutMs = 10_000): Promise<boolean> {
    return this.context.sender.settle(timeoutMs);
  }

  slackChannel(change: ChangeSpec): Json {
    const { world } = this.providers.slack;
    const team = world.team(change.account ?? DEFAULT_ACCOUNTS.slack);
    if (!change.id) return { ...world.createChannel(team, change) };
    const channel = world.findChannel(team, change.id);
    if (!channel) throw new Error(`no channel "${change.id}" in ${team.id}`);
    if (change.delete) world.deleteChannel(team, channel);
    else world.changeChannel(team, channel, change);
    return { ...channel };
  }

  slackUser(change: ChangeSpec): Json {
    const { world } = this.providers.slack;
    const team = world.team(change.account ?? DEFAULT_ACCOUNTS.slack);
    if (!change.id) return { ...world.createUser(team, change) };
    const user = team.users.get(change.id);
    if (!user) throw new Error(`no user "${change.id}" in ${team.id}`);
    world.changeUser(team, user, change.delete ? { deleted: true } : change);
    return { ...user };
  }

  /** A person writes in a channel. */
  slackMessage(change: ChangeSpec & { channel?: string; text?: string }): Json {
    const { world } = this.providers.slack;
    const team = world.team(change.account ?? DEFAULT_ACCOUNTS.slack);
    const channel = world.findChannel(team, change.channel ?? 'general');
    if (!channel) throw new Error(`no channel "${String(change.channel)}" in ${team.id}`);
    return world.post(team, channel, { user: text(change['user']) ?? world.personOf(team), text: change.text ?? 'Hello' });
  }

  stripeCustomer(change: ChangeSpec): Json {
    const { world } = this.providers.stripe;
    const account = world.account(change.account ?? DEFAULT_ACCOUNTS.stripe);
    if (!change.id) return world.createCustomer(account, change, NO_CAUSE);
    const customer = world.find(account, 'customers', 'customer', change.id);
    return change.delete ? world.deleteCustomer(account, customer, NO_CAUSE) : world.updateCustomer(account, customer, change, NO_CAUSE);
  }

  /** `pay`: the first payment succeeds; `cancel`: canceled at once; else an update. */
  stripeSubscription(change: ChangeSpec & { action?: 'pay' | 'cancel' }): Json {
    const { world, subscriptions } = this.providers.stripe;
    const account = world.account(change.account ?? DEFAULT_ACCOUNTS.stripe);
    if (!change.id) return subscriptions.create(account, change, NO_CAUSE);
    const subscription = world.find(account, 'subscriptions', 'subscription', change.id);
    if (change.action === 'pay') return subscriptions.pay(account, subscription, NO_CAUSE);
    if (change.action === 'cancel' || change.delete) return subscriptions.cancel(account, subscription, NO_CAUSE);
    return subscriptions.update(account, subscription, change, NO_CAUSE);
  }

  googleEvent(change: ChangeSpec & { calendar?: string }): Json {
    const { world } = this.providers.google;
    const account = world.account(change.account ?? DEFAULT_ACCOUNTS.google);
    const calendar = world.calendar(account, change.calendar ?? 'primary');
    if (change.id && change.delete) {
      world.deleteEvent(account, calendar, change.id);
      return { id: change.id, status: 'cancelled' };
    }
    if (change.id && calendar.events.has(change.id)) return world.updateEvent(account, calendar, change.id, change).data;
    const start = new Date(this.context.now() + 3_600_000).toISOString();
    const end = new Date(this.context.now() + 7_200_000).toISOString();
    return world.insertEvent(account, calendar, { summary: 'New event', start: { dateTime: start }, end: { dateTime: end }, ...change })
      .data;
  }

  /** A mail comes in (or `id` + `delete`: goes). */
  googleMail(change: ChangeSpec & { subject?: string; text?: string; from?: string }): Json {
    const { world } = this.providers.google;
    const account = world.account(change.account ?? DEFAULT_ACCOUNTS.google);
    if (change.id && change.delete) {
      world.deleteMail(account, change.id);
      return { id: change.id };
    }
    const raw = `From: ${change.from ?? 'Grace <grace@acme.test>'}\r\nTo: ${account.email}\r\nSubject: ${change.subject ?? 'News'}\r\nMessage-ID: <in-${account.historyId}@acme.test>\r\n\r\n${change.text ?? 'Hello'}`;
    const { id, threadId } = world.addMail(account, raw, ['INBOX', 'UNREAD']);
    return { id, threadId };
  }

  /** What is there now, by provider and account; what was sent is shown in the clear, tokens never. */
  state(): Record<ProviderName, Json> {
    const { slack, stripe, google } = this.providers;
    return {
      slack: Object.fromEntries(
        [...slack.state.teams.values()].map((team) => [
          team.id,
          {
            name: team.name,
            channels: team.channels.size,
            users: team.users.size,
            activeGrants: slack.tokens.activeGrants(team.id).length,
            messages: [...team.messages].flatMap(([channel, messages]) =>
              messages.map((message) => ({
                channel,
                channelName: team.channels.get(channel)?.name,
                ts: message.ts,
                text: message.text,
                user: message['user'],
                ...(message['bot_id'] ? { botId: message['bot_id'] } : {}),
                ...(message['thread_ts'] ? { threadTs: message['thread_ts'] } : {}),
                ...(message['metadata'] ? { metadata: message['metadata'] } : {}),
              })),
            ),
          },
        ]),
      ),
      stripe: Object.fromEntries(
        [...stripe.state.accounts.values()].map(({ id, name, collections }) => [
          id,
          {
            name,
            customers: collections.customers.byId.size,
            prices: [...collections.prices.byId.values()].map((price) => ({
              id: price.id,
              nickname: price['nickname'],
              unitAmount: price['unit_amount'],
              interval: record(price['recurring'])['interval'] ?? null,
            })),
            subscriptions: [...collections.subscriptions.byId.values()].map((subscription) => ({
              id: subscription.id,
              status: subscription['status'],
              customer: subscription['customer'],
              cancelAtPeriodEnd: subscription['cancel_at_period_end'],
              created: subscription.created,
              metadata: subscription['metadata'],
            })),
            invoices: collections.invoices.byId.size,
            paymentIntents: collections.payment_intents.byId.size,
            events: collections.events.byId.size,
            activeGrants: stripe.tokens.activeGrants(id).length,
          },
        ]),
      ),
      google: Object.fromEntries(
        [...google.state.accounts.values()].map((account) => [
          account.email,
          {
            calendars: [...account.calendars.values()].map((calendar) => ({
              id: calendar.id,
              summary: calendar.summary,
              events: [...calendar.events.values()].filter((event) => event.data['status'] !== 'cancelled').length,
              cancelled: [...calendar.events.values()].filter((event) => event.data['status'] === 'cancelled').length,
            })),
            messages: account.mail.size,
            emailsSent: [...account.mail.values()]
              .filter((mail) => mail.labelIds.includes('SENT'))
              .map((mail) => ({ id: mail.id, threadId: mail.threadId, ...parseMail(mail.raw) })),
            historyId: String(account.historyId),
            channels: [...account.channels.values()].map(({ id, resourceId, target, address, expiration }) => ({
              id,
              resourceId,
              target,
              address,
              expiration,
            })),
            mailWatchUntil: account.mailWatchUntil,
            activeGrants: google.tokens.activeGrants(account.email).length,
          },
        ]),
      ),
    };
  }
}
