import type { ConnectionRef } from '../../integrations';

const TEST = ':test';

/**
 * An account has two worlds, live and test, with objects, keys, events and limits of their own: here they are two accounts, of which the one in
 * test mode is marked. https://docs.stripe.com/keys#test-live-modes
 */
export function accountIn(account: string, livemode: boolean): string {
  return livemode ? account : `${account}${TEST}`;
}

/** As Stripe knows it. */
export function stripeAccountOf({ accountId }: Pick<ConnectionRef, 'accountId'>): string {
  return accountId.endsWith(TEST) ? accountId.slice(0, -TEST.length) : accountId;
}

/** The mode of a key, ours or a person's; undefined where it does not say. Connect's tokens are written likewise. */
export function isLiveKey(key: string | undefined): boolean | undefined {
  const mode = /^(?:sk|rk)_(live|test)_/.exec(key ?? '')?.[1];
  return mode === undefined ? undefined : mode === 'live';
}
