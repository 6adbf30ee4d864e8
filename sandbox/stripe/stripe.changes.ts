import type { ChangeSpec } from '../sandbox-provider';
import type { Json } from '../sandbox.types';
import type { StripeSubscriptions } from './stripe.subscriptions';
import { NO_CAUSE, type StripeWorld } from './stripe.world';

export const DEFAULT_ACCOUNT = 'acct_1SandboxAcme';

export function changeCustomer(world: StripeWorld, change: ChangeSpec): Json {
  const account = world.account(change.account ?? DEFAULT_ACCOUNT);
  if (!change.id) return world.createCustomer(account, change, NO_CAUSE);
  const customer = world.find(account, 'customers', 'customer', change.id);
  return change.delete ? world.deleteCustomer(account, customer, NO_CAUSE) : world.updateCustomer(account, customer, change, NO_CAUSE);
}

/** `pay`: the first payment succeeds; `cancel`: canceled at once; else created or updated. */
export function changeSubscription(world: StripeWorld, subscriptions: StripeSubscriptions, change: ChangeSpec): Json {
  const account = world.account(change.account ?? DEFAULT_ACCOUNT);
  if (!change.id) return subscriptions.create(account, change, NO_CAUSE);
  const subscription = world.find(account, 'subscriptions', 'subscription', change.id);
  if (change['action'] === 'pay') return subscriptions.pay(account, subscription, NO_CAUSE);
  if (change['action'] === 'cancel' || change.delete) return subscriptions.cancel(account, subscription, NO_CAUSE);
  return subscriptions.update(account, subscription, change, NO_CAUSE);
}
