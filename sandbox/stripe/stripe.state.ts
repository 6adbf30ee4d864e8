import { SeededRandom } from '../random';
import type { Json } from '../sandbox.types';
import { emptyTokenState, type TokenState } from '../token-store';

export interface StripeObject extends Json {
  id: string;
  object: string;
  created: number;
}

export const COLLECTIONS = ['customers', 'products', 'prices', 'subscriptions', 'invoices', 'payment_intents', 'events'] as const;
export type CollectionName = (typeof COLLECTIONS)[number];

/** Objects in the order of their creation; lists read them backwards. */
export interface Collection {
  order: string[];
  byId: Map<string, StripeObject>;
}

export interface IdempotentResult {
  params: string;
  running: boolean;
  status: number;
  body: unknown;
}

export interface StripeAccount {
  id: string;
  name: string;
  email: string;
  collections: Record<CollectionName, Collection>;
  /** Deleted customers still answer with `deleted: true`. */
  deleted: Map<string, string>;
  idempotency: Map<string, IdempotentResult>;
  invoiceNumber: number;
  /** Invoice id to payment intent id: on the wire the link only shows when expanded. */
  intentOfInvoice: Map<string, string>;
}

export interface StripeState {
  platformId: string;
  platformKeyIssued: boolean;
  accounts: Map<string, StripeAccount>;
  tokens: TokenState;
}

export function emptyStripeState(): StripeState {
  return { platformId: 'acct_1SandboxPlatform', platformKeyIssued: false, accounts: new Map(), tokens: emptyTokenState() };
}

export function emptyAccount(id: string): StripeAccount {
  const slug = id.replace(/^acct_/, '').toLowerCase();
  const collections = Object.fromEntries(
    COLLECTIONS.map((name) => [name, { order: [], byId: new Map<string, StripeObject>() }]),
  ) as unknown as Record<CollectionName, Collection>;
  return {
    id,
    name: `Shop ${slug}`,
    email: `owner@${slug}.test`,
    collections,
    deleted: new Map(),
    idempotency: new Map(),
    invoiceNumber: 0,
    intentOfInvoice: new Map(),
  };
}

export function put(collection: Collection, object: StripeObject): void {
  if (!collection.byId.has(object.id)) collection.order.push(object.id);
  collection.byId.set(object.id, object);
}

export function remove(collection: Collection, id: string): void {
  if (!collection.byId.delete(id)) return;
  collection.order.splice(collection.order.indexOf(id), 1);
}

/** Ids that follow from a seed for generated data, random ones for the rest. */
export function idMaker(random: SeededRandom): (prefix: string) => string {
  return (prefix) => `${prefix}_1${random.id(23)}`;
}
