import type { PlainProvider } from '../../integrations';

export const twitch: PlainProvider = {
  key: 'twitch',
  name: 'Twitch',
  docs: 'https://dev.twitch.tv/docs/authentication/getting-tokens-oauth/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic, @auth/core' },
  apiBaseUrl: 'https://api.twitch.tv/helix/',
  oauth2: {
    authorizeUrl: 'https://id.twitch.tv/oauth2/authorize',
    tokenUrl: 'https://id.twitch.tv/oauth2/token',
    scopes: ['user:read:email'],
    refresh: true,
    revokeUrl: 'https://id.twitch.tv/oauth2/revoke',
    revoke: { body: { client_id: '{clientId}', token: '{accessToken}' } },
  },
  // https://dev.twitch.tv/docs/authentication/ (app access tokens): events are asked for as the app, and need it.
  app: { by: 'client_credentials' },
  endpoints: ['GET', 'POST', 'DELETE'].map((method) => ({ method, path: '/helix/eventsub/subscriptions' })),
  account: { path: 'users', id: '/data/0/id', name: '/data/0/display_name' },
  headers: { 'client-id': '{clientId}' },
  webhooks: {
    scheme: {
      kind: 'hmac',
      header: 'twitch-eventsub-message-signature',
      prefix: 'sha256=',
      signed: '{header:twitch-eventsub-message-id}{header:twitch-eventsub-message-timestamp}{body}',
    },
    challenge: { method: 'POST', at: '/challenge', reply: 'echo' },
    eventId: 'header:twitch-eventsub-message-id',
    type: ['/subscription/type'],
    routingKey: ['/event/broadcaster_user_id', '/event/user_id'],
  },
};
