import { record } from './form-body';
import type { Calendar, GoogleAccount } from './google/google.state';
import { parseMail } from './google/mail-parser';
import type { Json, ProviderName } from './sandbox.types';
import type { SlackTeam } from './slack/slack.state';
import type { SandboxProviders } from './storm';
import type { StripeAccount } from './stripe/stripe.state';

/** What there is now, by provider and account. What was sent is shown in the clear, tokens never. */
export function stateView({ slack, stripe, google }: SandboxProviders): Record<ProviderName, Json> {
  const view = <T>(items: Iterable<T>, idOf: (item: T) => string, show: (item: T) => Json, grants: (id: string) => number): Json =>
    Object.fromEntries([...items].map((item) => [idOf(item), { ...show(item), activeGrants: grants(idOf(item)) }]));
  return {
    slack: view(
      slack.state.teams.values(),
      (team) => team.id,
      slackView,
      (id) => slack.tokens.activeGrants(id).length,
    ),
    stripe: view(
      stripe.state.accounts.values(),
      (account) => account.id,
      stripeView,
      (id) => stripe.tokens.activeGrants(id).length,
    ),
    google: view(
      google.state.accounts.values(),
      (account) => account.email,
      googleView,
      (id) => google.tokens.activeGrants(id).length,
    ),
  };
}

function slackView(team: SlackTeam): Json {
  const messages = [...team.messages].flatMap(([channel, list]) =>
    list.map((message) => ({
      channel,
      channelName: team.channels.get(channel)?.name,
      ts: message.ts,
      text: message.text,
      user: message['user'],
      botId: message['bot_id'],
      threadTs: message['thread_ts'],
      metadata: message['metadata'],
    })),
  );
  const publicChannels = [...team.channels.values()].filter((channel) => !channel.isPrivate).length;
  return { name: team.name, channels: team.channels.size, publicChannels, users: team.users.size, messages };
}

function stripeView({ name, collections }: StripeAccount): Json {
  return {
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
  };
}

function googleView(account: GoogleAccount): Json {
  const cancelled = (calendar: Calendar): number =>
    [...calendar.events.values()].filter((event) => event.data['status'] === 'cancelled').length;
  return {
    calendars: [...account.calendars.values()].map((calendar) => ({
      id: calendar.id,
      summary: calendar.summary,
      events: calendar.events.size - cancelled(calendar),
      cancelled: cancelled(calendar),
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
  };
}
