import { record, text } from '../form-body';
import { secretText, SeededRandom } from '../random';
import type { SandboxContext } from '../sandbox-context';
import type { Json } from '../sandbox.types';
import { invalidRequest, missingParam, noSuch } from './stripe.errors';
import { type Cause, StripeEvents } from './stripe.events';
import { customerObject, priceObject, productObject } from './stripe.objects';
import {
  type CollectionName,
  emptyAccount,
  idMaker,
  put,
  remove,
  type StripeAccount,
  type StripeObject,
  type StripeState,
} from './stripe.state';
import { seedAccount } from './stripe.seed';

export const NO_CAUSE: Cause = { requestId: null, idempotencyKey: null };
const CUSTOMER_FIELDS = ['name', 'email', 'phone', 'description', 'test_clock'] as const;
const KINDS: Record<string, CollectionName> = {
  cus: 'customers',
  prod: 'products',
  price: 'prices',
  sub: 'subscriptions',
  in: 'invoices',
  pi: 'payment_intents',
  evt: 'events',
};

/** The accounts, and every change to customers, products and prices with its event. */
export class StripeWorld {
  readonly events: StripeEvents;
  readonly newId = (prefix: string): string => `${prefix}_1${secretText(23)}`;

  constructor(
    readonly context: SandboxContext,
    readonly state: StripeState,
    isWatched: (accountId: string) => boolean,
  ) {
    this.events = new StripeEvents(context, state, isWatched);
  }

  /** The account, made and filled at first sight. */
  account(id: string): StripeAccount {
    let account = this.state.accounts.get(id);
    if (!account) {
      account = emptyAccount(id);
      this.state.accounts.set(id, account);
      seedAccount(account, new SeededRandom(`${this.context.seed} stripe ${id}`), this.nowS());
      this.context.changed();
    }
    return account;
  }

  find(account: StripeAccount, collection: CollectionName, kind: string, id: unknown, param?: string): StripeObject {
    const found = typeof id === 'string' ? account.collections[collection].byId.get(id) : undefined;
    if (!found) throw noSuch(kind, String(id), param);
    return found;
  }

  load(account: StripeAccount, id: string): StripeObject | undefined {
    const collection = KINDS[id.split('_')[0] ?? ''];
    return collection && account.collections[collection].byId.get(id);
  }

  createCustomer(account: StripeAccount, params: Json, cause: Cause): StripeObject {
    const customer = customerObject(this.newId('cus'), this.nowS(), customerFields(params));
    customer['metadata'] = metadataOf(params['metadata']);
    put(account.collections.customers, customer);
    this.tell(account, 'customer.created', customer, cause);
    return customer;
  }

  updateCustomer(account: StripeAccount, customer: StripeObject, params: Json, cause: Cause): StripeObject {
    const previous: Json = {};
    for (const [key, value] of Object.entries(customerFields(params))) {
      if (JSON.stringify(customer[key]) === JSON.stringify(value)) continue;
      previous[key] = customer[key];
      customer[key] = value;
    }
    if (params['metadata'] !== undefined) {
      previous['metadata'] = customer['metadata'];
      customer['metadata'] = mergeMetadata(record(customer['metadata']), params['metadata']);
    }
    if (Object.keys(previous).length > 0) this.tell(account, 'customer.updated', customer, cause, previous);
    return customer;
  }

  deleteCustomer(account: StripeAccount, customer: StripeObject, cause: Cause): Json {
    remove(account.collections.customers, customer.id);
    account.deleted.set(customer.id, 'customer');
    this.tell(account, 'customer.deleted', customer, cause);
    return { id: customer.id, object: 'customer', deleted: true };
  }

  createProduct(account: StripeAccount, params: Json, cause: Cause): StripeObject {
    const name = text(params['name']);
    if (!name) throw missingParam('name');
    const product = productObject(this.newId('prod'), this.nowS(), {
      name,
      description: text(params['description']) ?? null,
      metadata: metadataOf(params['metadata']),
    });
    put(account.collections.products, product);
    this.tell(account, 'product.created', product, cause);
    return product;
  }

  createPrice(account: StripeAccount, params: Json, cause: Cause): StripeObject {
    const currency = text(params['currency']);
    if (!currency) throw missingParam('currency');
    const amount = Number(params['unit_amount']);
    if (!Number.isInteger(amount) || amount < 0) throw invalidRequest('Invalid integer: unit_amount', { param: 'unit_amount' });
    const productData = record(params['product_data']);
    const product =
      params['product'] === undefined && productData['name']
        ? this.createProduct(account, productData, cause)
        : this.find(account, 'products', 'product', params['product'], 'product');
    const recurring = record(params['recurring']);
    const price = priceObject(this.newId('price'), this.nowS(), {
      product: product.id,
      unitAmount: amount,
      currency: currency.toLowerCase(),
      interval: text(recurring['interval']) ?? null,
      intervalCount: Number(recurring['interval_count'] ?? 1),
      nickname: text(params['nickname']) ?? null,
      metadata: metadataOf(params['metadata']),
      lookupKey: text(params['lookup_key']) ?? null,
    });
    put(account.collections.prices, price);
    this.tell(account, 'price.created', price, cause);
    return price;
  }

  /** Many customers at once, without events. */
  fill(account: StripeAccount, resource: string, count: number): void {
    if (resource !== 'customers') throw new Error(`stripe has no resource "${resource}" to seed; customers`);
    const makeId = idMaker(new SeededRandom(`${this.context.seed} fill ${account.id} ${account.collections.customers.order.length}`));
    const start = account.collections.customers.order.length;
    for (let i = 0; i < count; i++) {
      const serial = start + i;
      put(
        account.collections.customers,
        customerObject(makeId('cus'), this.nowS(), {
          name: `Customer ${serial}`,
          email: `customer${serial}@bulk.test`,
          description: `Bulk customer ${serial}`,
        }),
      );
    }
    this.context.changed();
  }

  tell(account: StripeAccount, type: string, object: Json, cause: Cause, previous?: Json): void {
    this.context.changed();
    this.events.emit(account, type, object, cause, previous);
  }

  nowS(): number {
    return Math.floor(this.context.now() / 1000);
  }
}

function customerFields(params: Json): Json {
  const fields: Json = {};
  for (const name of CUSTOMER_FIELDS) if (params[name] !== undefined) fields[name] = params[name] === '' ? null : params[name];
  if (params['invoice_settings'] !== undefined) {
    fields['invoice_settings'] = {
      custom_fields: null,
      default_payment_method: text(record(params['invoice_settings'])['default_payment_method']) ?? null,
      footer: null,
      rendering_options: null,
    };
  } else if (params['payment_method'] !== undefined) {
    fields['invoice_settings'] = {
      custom_fields: null,
      default_payment_method: params['payment_method'],
      footer: null,
      rendering_options: null,
    };
  }
  if (params['address'] !== undefined) fields['address'] = params['address'] === '' ? null : params['address'];
  return fields;
}

export function metadataOf(value: unknown): Json {
  return Object.fromEntries(Object.entries(record(value)).map(([key, item]) => [key, String(item)]));
}

export function mergeMetadata(current: Json, change: unknown): Json {
  if (change === '') return {};
  const merged = { ...current, ...metadataOf(change) };
  for (const [key, value] of Object.entries(merged)) if (value === '') delete merged[key];
  return merged;
}
