import { createWebhookHarness, testProvider, type WebhookHarness } from '../../test/support/webhook-harness';
import { PaymentNotesHandler } from './payment-notes.handler';

let harness: WebhookHarness;
beforeAll(async () => {
  harness = await createWebhookHarness({ handlers: [PaymentNotesHandler], providers: [testProvider('stripe')] });
  await harness.connect('acct_1', 'acme', 'stripe');
});
afterAll(() => harness.close());

it('notes a payment once, however often Stripe tells of it, and even after something newer', async () => {
  const paid = {
    id: 'evt_paid',
    type: 'payment_intent.succeeded',
    account: 'acct_1',
    object: 'payment_intent/pi_1',
    version: 1,
    data: { object: { id: 'pi_1', amount_received: 4200, currency: 'eur' } },
  };
  const ended = {
    id: 'evt_ended',
    type: 'customer.subscription.deleted',
    account: 'acct_1',
    object: 'payment_intent/pi_1',
    version: 2,
    data: { object: { id: 'sub_1' } },
  };
  await harness.deliver(ended, 'stripe');
  await harness.settled();
  await Promise.all([1, 2, 3].map(() => harness.deliver(paid, 'stripe')));
  await harness.settled();
  expect(await harness.rows('SELECT tenant, kind, subject, amount, currency FROM payment_notes ORDER BY kind')).toEqual([
    { tenant: 'acme', kind: 'cancelled', subject: 'sub_1', amount: null, currency: null },
    { tenant: 'acme', kind: 'paid', subject: 'pi_1', amount: '4200', currency: 'eur' },
  ]);
});

it('notes nothing of an account that nobody connected', async () => {
  await harness.rows('DELETE FROM payment_notes');
  await harness.deliver(
    { id: 'evt_x', type: 'customer.subscription.deleted', account: 'acct_2', data: { object: { id: 'sub_2' } } },
    'stripe',
  );
  await harness.settled();
  expect(await harness.rows('SELECT 1 FROM payment_notes')).toEqual([]);
});

it('notes a payment that does not say how much was received', async () => {
  const data = { object: { id: 'pi_3', currency: 'eur' } };
  await harness.deliver({ id: 'evt_silent', type: 'payment_intent.succeeded', account: 'acct_1', data }, 'stripe');
  await harness.settled();
  expect(await harness.rows(`SELECT amount, currency FROM payment_notes WHERE subject = 'pi_3'`)).toEqual([
    { amount: null, currency: 'eur' },
  ]);
});
