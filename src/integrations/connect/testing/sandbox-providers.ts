import type { Sandbox } from '../../../../sandbox';
import { IntegrationError } from '../../../errors';
import type { AccountIdentity, Fetch, OAuth2Facts, Provider, TokenGrant } from '../../contract';

/** Small providers on the sandbox, under keys of their own: `chat` (two rotating tokens), `mail` (a steady refresh token), `pay` (keys). */
export function sandboxProviders(sandbox: Sandbox): { chat: Provider; mail: Provider; pay: Provider } {
  const env = sandbox.env();
  return {
    chat: provider(
      'chat',
      sandbox.urls.slack,
      oauth2(env, 'SLACK', {
        scopes: ['chat:write', 'channels:read'],
        scopeWords: { 'files:read': 'Read files' },
        scopeSeparator: ',',
        authorizeParams: { user_scope: 'users:read' },
      }),
      {
        parseTokenResponse: (body, { step, kind }) => {
          const answer = fields(body);
          if (answer['ok'] !== true)
            throw new IntegrationError('connect_failed', { providerCode: String(answer['error']), notExecuted: true });
          if (step === 'refresh') return [grantOf(kind ?? 'bot', answer, ',')];
          const user = fields(answer['authed_user']);
          return [
            ...(answer['access_token'] ? [grantOf('bot', answer, ',')] : []),
            ...(user['access_token'] ? [grantOf('user', user, ',')] : []),
          ];
        },
        identify: async ({ fetch, tokenBody }) => {
          const team = fields(fields(tokenBody)['team']);
          await (await fetch(`${sandbox.urls.slack}/api/auth.test`, { method: 'POST' })).text();
          return { accountId: String(team['id']), accountName: String(team['name']) };
        },
        revoke: async ({ fetch }) =>
          fields(await (await fetch(`${sandbox.urls.slack}/api/auth.revoke`, { method: 'POST' })).json())['revoked'] === true,
      },
    ),
    mail: provider(
      'mail',
      sandbox.urls.google,
      oauth2(env, 'GOOGLE', {
        scopes: ['openid', 'email'],
        authorizeParams: { access_type: 'offline', prompt: 'consent' },
        issuer: 'https://accounts.google.com',
      }),
      {
        parseTokenResponse: (body) => [grantOf('default', fields(body), ' ')],
        identify: async ({ fetch }) => {
          const who = fields(await (await fetch(`${sandbox.urls.google}/v1/userinfo`)).json());
          return { accountId: String(who['sub']), accountName: String(who['email']) };
        },
        revoke: async ({ fetch, tokens }) =>
          (
            await fetch(`${sandbox.urls.google}/revoke`, {
              method: 'POST',
              body: new URLSearchParams({ token: tokens[0]?.refreshToken ?? '' }),
            })
          ).ok,
      },
    ),
    pay: {
      ...provider('pay', sandbox.urls.stripe, undefined, {
        parseTokenResponse: () => [],
        identify: () => Promise.reject(new Error('not asked')),
        verifyApiKey: ({ fetch }) => accountOf(fetch, `${sandbox.urls.stripe}/v1/account`),
      }),
      apiKey: { pattern: /^rk_test_\w+$/, help: 'Make a restricted key in the dashboard.' },
    },
  };
}

function provider(key: string, origin: string, facts: OAuth2Facts | undefined, auth: Provider['auth']): Provider {
  return {
    key,
    name: key,
    configured: true,
    apiBaseUrl: `${origin}/`,
    ...(facts && { oauth2: facts }),
    auth,
    http: { endpoints: [], limits: {}, defaultLimits: [], retry: { baseMs: 5, maxMs: 20 } },
    actions: [],
  };
}

function oauth2(env: Record<string, string>, prefix: string, facts: Partial<OAuth2Facts>): OAuth2Facts {
  return {
    clientId: env[`${prefix}_CLIENT_ID`] as string,
    clientSecret: env[`${prefix}_CLIENT_SECRET`] as string,
    authorizeUrl: env[`${prefix}_AUTHORIZE_URL`] as string,
    tokenUrl: env[`${prefix}_TOKEN_URL`] as string,
    scopes: [],
    scopeSeparator: ' ',
    pkce: true,
    refusalCodes: ['invalid_grant', 'invalid_refresh_token'],
    clientFaultCodes: ['invalid_client', 'bad_client_secret', 'invalid_client_id'],
    organizationCodes: ['admin_policy_enforced'],
    ...facts,
  };
}

async function accountOf(fetch: Fetch, url: string): Promise<AccountIdentity> {
  const account = fields(await (await fetch(url)).json());
  return { accountId: String(account['id']), accountName: String(account['id']) };
}

export function grantOf(kind: string, from: Record<string, unknown>, separator = ' '): TokenGrant {
  return {
    kind,
    accessToken: String(from['access_token']),
    ...(typeof from['refresh_token'] === 'string' && { refreshToken: from['refresh_token'] }),
    ...(typeof from['expires_in'] === 'number' && { expiresInS: from['expires_in'] }),
    scopes: String(from['scope'] ?? '')
      .split(separator)
      .filter(Boolean),
  };
}

export function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
