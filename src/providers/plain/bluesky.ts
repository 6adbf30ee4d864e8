import type { PlainProvider } from '../../integrations';

export const bluesky: PlainProvider = {
  key: 'bluesky',
  name: 'Bluesky',
  docs: 'https://docs.bsky.app/docs/api/com-atproto-server-create-session',
  checked: { at: '2026-11-28', against: 'docs.bsky.app' },
  apiBaseUrl: 'https://bsky.social/xrpc/',
  ask: {
    identifier: { label: 'Handle', pattern: /[A-Za-z0-9][A-Za-z0-9.:_-]{2,252}/, example: 'acme.bsky.social' },
    // What an app password looks like: the account's own password is not taken.
    appPassword: { label: 'App password', pattern: /[a-z0-9]{4}(-[a-z0-9]{4}){3}/, example: 'abcd-efgh-ijkl-mnop', secret: true },
  },
  oauth2: {
    grant: 'login',
    tokenUrl: 'https://bsky.social/xrpc/com.atproto.server.createSession',
    signIn: { identifier: '{identifier}', password: '{appPassword}' },
  },
  token: { access: '/accessJwt' },
  account: { id: 'token:/did', name: 'token:/handle' },
  faults: [{ status: 400, at: '/error', is: 'ExpiredToken', code: 'needs_reauth', tokenExpired: true }],
};
