import type { SeededRandom } from '../random';
import { invoiceObject } from './stripe.billing-objects';
import { customerObject, priceObject, productObject, subscriptionObject } from './stripe.objects';
import { idMaker, put, type StripeAccount } from './stripe.state';

const CUSTOMERS = 30;
const SUBSCRIPTIONS = 5;
const DAY_S = 86_400;
const NAMES = ['Northwind', 'Contoso', 'Initech', 'Umbrella', 'Soylent', 'Globex', 'Hooli', 'Acme Café', 'Vandelay', 'Wayne'];
const PRICES = [
  { name: 'Starter', amount: 900, interval: 'month' },
  { name: 'Team', amount: 4900, interval: 'month' },
  { name: 'Team, yearly', amount: 49_000, interval: 'year' },
];

/** Customers, prices, a few subscriptions and their invoices, that follow from the seed. */
export function seedAccount(account: StripeAccount, random: SeededRandom, nowS: number): void {
  const makeId = idMaker(random);
  const { customers, products, prices, subscriptions, invoices } = account.collections;
  for (const [index, plan] of PRICES.entries()) {
    const created = nowS - 80 * DAY_S + index;
    const product = productObject(makeId('prod'), created, { name: plan.name });
    put(products, product);
    put(
      prices,
      priceObject(makeId('price'), created, {
        product: product.id,
        unitAmount: plan.amount,
        currency: 'usd',
        interval: plan.interval,
        intervalCount: 1,
        nickname: plan.name,
        metadata: {},
        lookupKey: plan.name.toLowerCase().replace(/\W+/g, '_'),
      }),
    );
  }
  for (let i = 0; i < CUSTOMERS; i++) {
    const name = `${NAMES[i % NAMES.length]}${i >= NAMES.length ? ` ${Math.floor(i / NAMES.length) + 1}` : ''}`;
    const email = `billing${i}@${name
      .toLowerCase()
      .normalize('NFD')
      .replace(/[^a-z0-9]/g, '')}.test`;
    put(customers, customerObject(makeId('cus'), nowS - 60 * DAY_S + i * 3600, { name, email, description: `Seeded customer ${i + 1}` }));
  }
  for (let i = 0; i < SUBSCRIPTIONS; i++) {
    const customer = customers.byId.get(customers.order[i * 3] as string);
    const price = prices.byId.get(prices.order[i % prices.order.length] as string);
    if (!customer || !price) continue;
    const created = nowS - (10 - i) * DAY_S;
    const subscription = subscriptionObject(makeId('sub'), created, {
      customer: customer.id,
      items: [{ id: makeId('si'), price, quantity: 1 + random.below(3) }],
      status: 'active',
      metadata: {},
      description: null,
      saveDefaultPaymentMethod: 'off',
      defaultPaymentMethod: `pm_1${random.id(23)}`,
      trialEnd: null,
      collectionMethod: 'charge_automatically',
    });
    const number = `${String(customer['invoice_prefix'])}-${String(++account.invoiceNumber).padStart(4, '0')}`;
    const amount = Number(price['unit_amount']);
    const invoice = invoiceObject(makeId('in'), created, {
      account,
      customer,
      subscription,
      lineIds: [makeId('il')],
      status: 'paid',
      number,
      amount,
    });
    subscription['latest_invoice'] = invoice.id;
    put(subscriptions, subscription);
    put(invoices, invoice);
  }
}
