import type { SandboxContext, ProviderSecrets } from './sandbox-context';
import type { Forge, Json, ProviderSurface } from './sandbox.types';
import type { TokenStore } from './token-store';
import type { Delivery } from './webhook-sender';

/** A pretend provider, as it is registered in `providers.ts`: one line there, everything else in its folder. */
export interface SandboxProvider<S extends object = object> {
  readonly name: string;
  /** The account that is meant where none is named. */
  readonly defaultAccount: string;
  /** How long it waits for the answer to a delivery, ms. */
  readonly deliveryTimeoutMs: number;
  /** What it hands out when an app is registered; made once and kept in the state file. */
  secrets(): ProviderSecrets;
  /** What a state file is completed with that knows nothing of the provider, or of a part that came later. */
  emptyState(): S;
  start(context: SandboxContext, state: S): RunningProvider;
}

/** `id` absent: create; `delete: true`: delete; else change. Each tells the app as the provider would. */
export interface ChangeSpec extends Json {
  account?: string;
  id?: string;
  delete?: boolean;
}

export interface MintSpec {
  account?: string;
  scopes?: string[];
  /** Scopes of a user's token, where that is one of its own. */
  userScopes?: string[];
}

/** One event of a type about an account; the `index` is its place among those that were asked for. */
export interface EventSpec {
  type: string;
  account: string;
  index: number;
  /** Fields of what the event is about. */
  payload?: Json;
  sharedWith?: readonly string[];
  forge?: Forge;
}

export interface RunningProvider {
  readonly tokens: TokenStore;
  readonly surface: ProviderSurface;
  /** The settings that point the service at it. */
  settings(url: string): Record<string, string>;
  /** Types of events to try, the most telling one first; for people, not a complete list. */
  readonly events: readonly string[];
  /** Signed deliveries of an event. @throws Error where nothing is known to deliver to. */
  deliver(spec: EventSpec): Delivery[];
  /** What may be changed in it as a person would, by the name in `POST /<provider>/<name>` of the control API. */
  readonly changes: Readonly<Record<string, (change: ChangeSpec) => Json>>;
  /** Many records at once, without webhooks. */
  seed(account: string, resource: string, count: number): void;
  /** What there is now, by account. What was sent is shown in the clear, tokens never. */
  view(): Json;
  /** A token endpoint's answer without a consent. */
  mint(spec: MintSpec & { account: string }): Json;
  /** What happens besides the end of the tokens when the account removes the app. */
  end?(account: string): void;
  /** From now on places in lists that were given out are refused. The answer: how many. */
  expireCursors?(account?: string): number;
}

/** One entry an account, with how many grants live on it. */
export function viewByAccount<T>(items: Iterable<T>, idOf: (item: T) => string, show: (item: T) => Json, tokens: TokenStore): Json {
  return Object.fromEntries(
    [...items].map((item) => [idOf(item), { ...show(item), activeGrants: tokens.activeGrants(idOf(item)).length }]),
  );
}
