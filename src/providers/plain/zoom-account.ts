import type { PlainProvider } from '../../integrations';

/** Zoom by an app of the account's own, which nobody has to consent to: server-to-server OAuth. */
export const zoomAccount: PlainProvider = {
  key: 'zoom-account',
  name: 'Zoom account',
  docs: 'https://developers.zoom.us/docs/internal-apps/s2s-oauth/',
  checked: { at: '2026-11-28', against: 'developers.zoom.us' },
  apiBaseUrl: 'https://api.zoom.us/v2/',
  ask: { accountId: { label: 'Account id', pattern: /[\w-]{10,50}/, example: 'Ab1cD2eFgH3iJ4kLmN5oPq' } },
  oauth2: {
    grant: 'client_credentials',
    tokenUrl: 'https://zoom.us/oauth/token',
    clientAuth: 'basic',
    tokenParams: { grant_type: 'account_credentials', account_id: '{accountId}' },
  },
  // Zoom gives a token to none but a client of this very account.
  account: { id: 'ask:accountId', name: 'ask:accountId' },
};
