import { text } from './form-body';
import type { Json } from './sandbox.types';
import type { SandboxProviders } from './storm';
import { NO_CAUSE } from './stripe/stripe.world';

/** `id` absent: create; `delete: true`: delete; else change. Each tells the app as the provider would. */
export interface ChangeSpec extends Json {
  account?: string;
  id?: string;
  delete?: boolean;
}

export const DEFAULT_ACCOUNTS = { slack: 'T_ACME', stripe: 'acct_1SandboxAcme', google: 'ada@acme.test' } as const;

export function changeSlackChannel({ slack: { world } }: SandboxProviders, change: ChangeSpec): Json {
  const team = world.team(change.account ?? DEFAULT_ACCOUNTS.slack);
  if (!change.id) return { ...world.createChannel(team, change) };
  const channel = world.findChannel(team, change.id);
  if (!channel) throw new Error(`no channel "${change.id}" in ${team.id}`);
  if (change.delete) world.deleteChannel(team, channel);
  else world.changeChannel(team, channel, change);
  return { ...channel };
}

export function changeSlackUser({ slack: { world } }: SandboxProviders, change: ChangeSpec): Json {
  const team = world.team(change.account ?? DEFAULT_ACCOUNTS.slack);
  if (!change.id) return { ...world.createUser(team, change) };
  const user = team.users.get(change.id);
  if (!user) throw new Error(`no user "${change.id}" in ${team.id}`);
  world.changeUser(team, user, change.delete ? { deleted: true } : change);
  return { ...user };
}

export function writeSlackMessage({ slack: { world } }: SandboxProviders, change: ChangeSpec): Json {
  const team = world.team(change.account ?? DEFAULT_ACCOUNTS.slack);
  const name = text(change['channel']) ?? 'general';
  const channel = world.findChannel(team, name);
  if (!channel) throw new Error(`no channel "${name}" in ${team.id}`);
  return world.post(team, channel, { user: text(change['user']) ?? world.personOf(team), text: text(change['text']) ?? 'Hello' });
}

export function changeStripeCustomer({ stripe: { world } }: SandboxProviders, change: ChangeSpec): Json {
  const account = world.account(change.account ?? DEFAULT_ACCOUNTS.stripe);
  if (!change.id) return world.createCustomer(account, change, NO_CAUSE);
  const customer = world.find(account, 'customers', 'customer', change.id);
  return change.delete ? world.deleteCustomer(account, customer, NO_CAUSE) : world.updateCustomer(account, customer, change, NO_CAUSE);
}

export function changeStripeSubscription({ stripe: { world, subscriptions } }: SandboxProviders, change: ChangeSpec): Json {
  const account = world.account(change.account ?? DEFAULT_ACCOUNTS.stripe);
  if (!change.id) return subscriptions.create(account, change, NO_CAUSE);
  const subscription = world.find(account, 'subscriptions', 'subscription', change.id);
  if (change['action'] === 'pay') return subscriptions.pay(account, subscription, NO_CAUSE);
  if (change['action'] === 'cancel' || change.delete) return subscriptions.cancel(account, subscription, NO_CAUSE);
  return subscriptions.update(account, subscription, change, NO_CAUSE);
}

export function changeGoogleEvent({ google: { world } }: SandboxProviders, change: ChangeSpec): Json {
  const account = world.account(change.account ?? DEFAULT_ACCOUNTS.google);
  const calendar = world.calendar(account, text(change['calendar']) ?? 'primary');
  if (change.id && change.delete) {
    world.deleteEvent(account, calendar, change.id);
    return { id: change.id, status: 'cancelled' };
  }
  if (change.id && calendar.events.has(change.id)) return world.updateEvent(account, calendar, change.id, change).data;
  const at = (hours: number): Json => ({ dateTime: new Date(world.context.now() + hours * 3_600_000).toISOString() });
  return world.insertEvent(account, calendar, { summary: 'New event', start: at(1), end: at(2), ...change }).data;
}

export function changeGoogleMail({ google: { world } }: SandboxProviders, change: ChangeSpec): Json {
  const account = world.account(change.account ?? DEFAULT_ACCOUNTS.google);
  if (change.id && change.delete) {
    world.deleteMail(account, change.id);
    return { id: change.id };
  }
  const raw = [
    `From: ${text(change['from']) ?? 'Grace <grace@acme.test>'}`,
    `To: ${account.email}`,
    `Subject: ${text(change['subject']) ?? 'News'}`,
    `Message-ID: <in-${account.historyId}@acme.test>`,
    'Content-Type: text/plain; charset=utf-8',
    '',
    text(change['text']) ?? 'Hello',
  ].join('\r\n');
  const { id, threadId } = world.addMail(account, raw, ['INBOX', 'UNREAD']);
  return { id, threadId };
}
