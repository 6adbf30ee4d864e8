import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { Provider, WebhookHandler } from '../../contract';
import { ProviderRegistry } from '../../providers';
import type { ClaimedEvent } from './claimed-event';
import { subscriptionsOf, type WebhookSubscription } from './on-webhook.decorator';

export interface RegisteredHandler {
  readonly name: string;
  readonly handler: WebhookHandler;
  readonly evenStale: boolean;
}

interface Entry extends RegisteredHandler {
  readonly subscription: WebhookSubscription;
}

const NONE: readonly RegisteredHandler[] = [];

/** Who is called for what: the classes marked with `@OnWebhook`, wherever they are provided. */
@Injectable()
export class HandlerRegistry {
  private readonly entries: Entry[] = [];
  private readonly known = new Map<string, readonly RegisteredHandler[]>();

  constructor(private readonly discovery: DiscoveryService) {}

  /** Finds the marked classes, and what the providers declare. Called once, when all modules are there. */
  discover(): void {
    for (const { instance, metatype } of this.discovery.getProviders()) {
      if (typeof metatype !== 'function' || !instance) continue;
      if (instance instanceof ProviderRegistry) this.addDeclared(instance.all());
      for (const subscription of subscriptionsOf(metatype)) this.add(metatype.name, instance as WebhookHandler, subscription);
    }
  }

  private addDeclared(providers: readonly Provider[]): void {
    for (const { key, webhooks } of providers)
      for (const { types, handler } of webhooks?.handlers ?? []) this.add(`${key}/${types[0]}`, handler, { provider: key, types });
  }

  add(name: string, handler: WebhookHandler, subscription: WebhookSubscription): void {
    if (typeof handler.handle !== 'function') throw new Error(`${name} is marked with @OnWebhook but has no method handle().`);
    const { evenStale = false } = subscription;
    if (this.entries.some((entry) => entry.handler === handler && entry.subscription === subscription)) return;
    this.entries.push({ name, handler, subscription, evenStale });
    this.known.clear();
  }

  /** Kinds (`provider/type`) met so far whose handlers ask the provider first. */
  preparingKinds(): string[] {
    return [...this.known].filter(([, handlers]) => handlers.some(asks)).map(([kind]) => kind);
  }

  /** Whether one of the kind's handlers asks the provider before it takes effect. */
  asksFirst(provider: string, type: string): boolean {
    return this.handlersOf(provider, type).some(asks);
  }

  /** Whether one of the event's handlers asks the provider before it takes effect: with the connection's token, or without one as the app. */
  hasToAsk({ connection, provider, type }: ClaimedEvent): boolean {
    const asked = connection ? 'prepare' : 'prepareAlone';
    return this.handlersOf(provider, type).some(({ handler }) => handler[asked] !== undefined);
  }

  /** Of these events' kinds (`provider/type`), those that nobody handles. */
  unhandledKinds(events: Iterable<{ readonly provider: string; readonly type: string }>): string[] {
    const kinds = new Set<string>();
    for (const { provider, type } of events) if (this.handlersOf(provider, type).length === 0) kinds.add(`${provider}/${type}`);
    return [...kinds];
  }

  /** Of these events' kinds, those whose handlers ask the provider how the object is now. */
  askingKinds(events: Iterable<{ readonly provider: string; readonly type: string }>): string[] {
    const kinds = new Set<string>();
    for (const { provider, type } of events) if (this.asksFirst(provider, type)) kinds.add(`${provider}/${type}`);
    return [...kinds];
  }

  /** What the handlers of this name are called for: types, or their beginnings with an asterisk. */
  kindsOf(name: string): { readonly provider: string; readonly type: string }[] {
    return this.entries.flatMap((entry) =>
      entry.name === name ? entry.subscription.types.map((type) => ({ provider: entry.subscription.provider, type })) : [],
    );
  }

  /** In the order in which they were found; each handler once. */
  handlersOf(provider: string, type: string): readonly RegisteredHandler[] {
    const key = `${provider}/${type}`;
    const known = this.known.get(key);
    if (known) return known;
    const found = new Map<WebhookHandler, RegisteredHandler>();
    for (const entry of this.entries) {
      const { subscription, handler } = entry;
      if (subscription.provider !== provider || !subscription.types.some((pattern) => matches(pattern, type))) continue;
      const before = found.get(handler);
      found.set(handler, before ? { ...before, evenStale: before.evenStale || entry.evenStale } : entry);
    }
    const handlers = found.size === 0 ? NONE : [...found.values()];
    // types come from outside, though signed: the memory of them is bounded
    if (this.known.size < 5_000) this.known.set(key, handlers);
    return handlers;
  }
}

function asks({ handler }: RegisteredHandler): boolean {
  return handler.prepare !== undefined || handler.prepareAlone !== undefined;
}

function matches(pattern: string, type: string): boolean {
  return pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : pattern === type;
}
