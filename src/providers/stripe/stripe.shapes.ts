import { z } from 'zod';

// Of https://docs.stripe.com/api, what each object has; what belongs to another object is its id: nothing is asked for expanded.
const object = { id: z.string(), created: z.number(), livemode: z.boolean() };
const customer = z.string();

export const STRIPE_SHAPES = {
  customers: z.object({ ...object, object: z.literal('customer'), email: z.string().nullable(), name: z.string().nullish() }),
  subscriptions: z.object({
    ...object,
    object: z.literal('subscription'),
    customer,
    status: z.string(),
    cancel_at_period_end: z.boolean(),
    items: z.object({ data: z.array(z.object({ id: z.string(), price: z.object({ id: z.string() }) })) }),
  }),
  invoices: z.object({
    ...object,
    object: z.literal('invoice'),
    customer: customer.nullable(),
    status: z.string().nullable(),
    currency: z.string(),
    total: z.number(),
  }),
  prices: z.object({
    ...object,
    object: z.literal('price'),
    active: z.boolean(),
    currency: z.string(),
    product: z.string(),
    unit_amount: z.number().nullable(),
  }),
};
