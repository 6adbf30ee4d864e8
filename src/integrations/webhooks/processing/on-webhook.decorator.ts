import { Injectable } from '@nestjs/common';

export const WEBHOOK_SUBSCRIPTIONS = 'trestle:webhook-subscriptions';

/** What a handler is called for. */
export interface WebhookSubscription {
  readonly provider: string;
  /** Exact, or the beginning before a `*`: `customer.*`; `*` alone is every type. */
  readonly types: readonly string[];
  /**
   * Also for an event that comes after a newer one of the same object. Default false: right for who stores the state of objects;
   * who counts or notes what happened wants every event.
   */
  readonly evenStale?: boolean;
}

/**
 * Marks an injectable class that implements `WebhookHandler`: `@OnWebhook('acme', 'customer.created', 'customer.updated')`.
 * Several handlers of one type are each called once. An event is completed when all of them are done, in one transaction.
 */
export function OnWebhook(provider: string, ...types: [string, ...string[]]): ClassDecorator;
export function OnWebhook(subscription: WebhookSubscription): ClassDecorator;
export function OnWebhook(given: string | WebhookSubscription, ...types: string[]): ClassDecorator {
  const subscription: WebhookSubscription = typeof given === 'string' ? { provider: given, types } : given;
  return (target) => {
    Injectable()(target);
    const before = subscriptionsOf(target);
    Reflect.defineMetadata(WEBHOOK_SUBSCRIPTIONS, [...before, subscription], target);
  };
}

export function subscriptionsOf(target: object): readonly WebhookSubscription[] {
  return (Reflect.getOwnMetadata(WEBHOOK_SUBSCRIPTIONS, target) as WebhookSubscription[] | undefined) ?? [];
}
