import type { PlainProvider } from '../../integrations';

export const shopify: PlainProvider = {
  key: 'shopify',
  name: 'Shopify',
  docs: 'https://shopify.dev/docs/apps/build/authentication-authorization',
  checked: { at: '2026-11-27', against: 'grant 5.4.24' },
  apiBaseUrl: 'https://{shop}.myshopify.com/admin/api/2026-01/',
  hosts: ['*.myshopify.com'],
  ask: { shop: { label: 'Shop name', pattern: /[a-z0-9][a-z0-9-]{0,59}/, example: 'acme' } },
  oauth2: {
    authorizeUrl: 'https://{shop}.myshopify.com/admin/oauth/authorize',
    tokenUrl: 'https://{shop}.myshopify.com/admin/oauth/access_token',
    scopes: ['read_products', 'read_orders'],
    scopeSeparator: ',',
  },
  credential: { in: 'header', name: 'x-shopify-access-token' },
  account: { path: 'shop.json', id: '/shop/id', name: '/shop/name', routingKey: '/shop/myshopify_domain' },
  limits: { account: { perSecond: 2, burst: 40, per: 'account' } },
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-shopify-hmac-sha256', encoding: 'base64' },
    eventId: ['header:x-shopify-event-id', 'header:x-shopify-webhook-id'],
    type: ['header:x-shopify-topic'],
    routingKey: 'header:x-shopify-shop-domain',
    ended: ['app/uninstalled'],
    records: [{ types: ['products/create', 'products/update'], resource: 'products', at: '' }],
  },
  resources: [
    {
      name: 'products',
      label: 'Products',
      // Drafts and archived ones too: https://shopify.dev/docs/api/admin-rest/latest/resources/product
      extent: 'whole',
      path: 'products.json',
      items: '/products',
      version: '/updated_at',
      query: { limit: '250' },
      page: { by: 'link' },
      since: { param: 'updated_at_min', as: 'iso' },
    },
  ],
};
