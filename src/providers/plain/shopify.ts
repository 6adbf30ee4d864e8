import { z } from 'zod';
import type { PlainProvider } from '../../integrations';

const object = { id: z.union([z.number(), z.string()]), created_at: z.string(), updated_at: z.string() };
const text = z.string().nullish();
const productShape = z.object({ ...object, title: z.string(), status: text });
const orderShape = z.object({ ...object, name: z.string(), total_price: text, currency: text, financial_status: text });
const customerShape = z.object({ ...object, email: text, first_name: text, last_name: text });

export const shopify: PlainProvider = {
  key: 'shopify',
  name: 'Shopify',
  docs: 'https://shopify.dev/docs/apps/build/authentication-authorization',
  checked: { at: '2026-11-28', against: 'grant 5.4.24; its lists and events with nothing' },
  apiBaseUrl: 'https://{shop}.myshopify.com/admin/api/2026-01/',
  hosts: ['*.myshopify.com'],
  ask: { shop: { label: 'Shop name', pattern: /[a-z0-9][a-z0-9-]{0,59}/, example: 'acme' } },
  oauth2: {
    authorizeUrl: 'https://{shop}.myshopify.com/admin/oauth/authorize',
    tokenUrl: 'https://{shop}.myshopify.com/admin/oauth/access_token',
    scopes: ['read_products', 'write_products', 'read_orders', 'read_customers', 'write_customers'],
    scopeSeparator: ',',
  },
  credential: { in: 'header', name: 'x-shopify-access-token' },
  account: { path: 'shop.json', id: '/shop/id', name: '/shop/name', routingKey: '/shop/myshopify_domain' },
  limits: { account: { perSecond: 2, burst: 40, per: 'account' } },
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-shopify-hmac-sha256', encoding: 'base64' },
    signedByClient: true,
    eventId: ['header:x-shopify-event-id', 'header:x-shopify-webhook-id'],
    type: ['header:x-shopify-topic'],
    routingKey: 'header:x-shopify-shop-domain',
    ended: ['app/uninstalled'],
    objectId: '/id',
    objectVersion: '/updated_at',
    records: [
      { types: ['products/create', 'products/update', 'products/delete'], resource: 'products', at: '', gone: ['products/delete'] },
      { types: ['orders/create', 'orders/updated', 'orders/delete'], resource: 'orders', at: '', gone: ['orders/delete'] },
      { types: ['customers/create', 'customers/update', 'customers/delete'], resource: 'customers', at: '', gone: ['customers/delete'] },
    ],
  },
  resources: [
    {
      name: 'products',
      label: 'Products',
      shape: productShape,
      // Drafts and archived ones too: https://shopify.dev/docs/api/admin-rest/latest/resources/product
      extent: 'whole',
      path: 'products.json',
      items: '/products',
      version: '/updated_at',
      query: { limit: '250' },
      page: { by: 'link' },
      since: { param: 'updated_at_min', as: 'iso' },
    },
    {
      name: 'orders',
      label: 'Orders',
      shape: orderShape,
      // https://shopify.dev/docs/api/admin-rest/latest/resources/order: older ones need the right to read all orders.
      extent: { window: 'Holds the orders of the last 60 days.' },
      scopes: ['read_orders'],
      path: 'orders.json',
      items: '/orders',
      version: '/updated_at',
      query: { limit: '250', status: 'any' },
      page: { by: 'link' },
      since: { param: 'updated_at_min', as: 'iso' },
    },
    {
      name: 'customers',
      label: 'Customers',
      shape: customerShape,
      extent: 'whole',
      scopes: ['read_customers'],
      path: 'customers.json',
      items: '/customers',
      version: '/updated_at',
      query: { limit: '250' },
      page: { by: 'link' },
      since: { param: 'updated_at_min', as: 'iso' },
    },
  ],
  // https://shopify.dev/docs/api/admin-rest/latest/resources: no key is honoured.
  operations: [
    {
      name: 'products.create',
      title: 'Create a product',
      description: 'Adds a product, as a draft where nothing else is said.',
      effect: 'write',
      makes: true,
      scopes: ['write_products'],
      method: 'POST',
      path: 'products.json',
      body: { at: '/product' },
      input: z.strictObject({
        title: z.string().min(1).max(255),
        body_html: z.string().max(65_536).optional(),
        vendor: z.string().max(255).optional(),
        product_type: z.string().max(255).optional(),
        status: z.enum(['active', 'draft', 'archived']).default('draft'),
      }),
      output: z.object({ id: z.number(), title: z.string(), status: z.string() }),
      at: '/product',
    },
    {
      name: 'customers.create',
      title: 'Create a customer',
      description: 'Adds a customer. Shopify refuses one whose e-mail address or phone number is taken.',
      effect: 'write',
      makes: true,
      scopes: ['write_customers'],
      method: 'POST',
      path: 'customers.json',
      body: { at: '/customer' },
      input: z.strictObject({
        email: z.email().max(320),
        first_name: z.string().max(255).optional(),
        last_name: z.string().max(255).optional(),
        phone: z.string().max(40).optional(),
        note: z.string().max(5_000).optional(),
      }),
      output: z.object({ id: z.number() }),
      at: '/customer',
    },
  ],
};
