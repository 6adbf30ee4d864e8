import type { PlainProvider } from 'trestle';

/** A provider of the shop's own, as data. */
export const parcels: PlainProvider = {
  key: 'parcels',
  name: 'Parcels',
  docs: 'https://parcels.example/docs',
  checked: { at: '2026-11-27', against: 'its documentation' },
  apiBaseUrl: 'https://api.parcels.example/',
  apiKey: { help: 'It stands in your settings, under API.' },
  account: { path: 'me', id: '/id', name: '/name' },
  webhooks: { scheme: { kind: 'hmac', header: 'x-parcels-signature' }, eventId: '/id', type: ['/type'], routingKey: '/account' },
};
