import type { Sandbox } from '../../../../sandbox';
import type { HttpFacts, OAuth2Facts, Provider, ProviderAuth, ProviderFault } from '../../contract';

/** Small providers on the sandbox: the chain under test, not the providers' own folders. */
export function providersOn(
  sandbox: Sandbox,
  overrides: Partial<HttpFacts> = {},
  apiBaseUrls: Readonly<Record<string, string>> = {},
): { slack: Provider; stripe: Provider; google: Provider } {
  const env = sandbox.env();
  const http = (facts: Partial<HttpFacts>): HttpFacts => ({
    endpoints: [],
    limits: {},
    defaultLimits: [],
    ...facts,
    retry: { baseMs: 5, maxMs: 20, ...facts.retry },
    ...overrides,
  });
  const provider = (key: string, facts: Partial<HttpFacts>, auth: ProviderAuth): Provider => ({
    key,
    name: key,
    configured: true,
    apiBaseUrl: apiBaseUrls[key] ?? env[`${key.toUpperCase()}_API_BASE_URL`]!,
    oauth2: oauth2(env, key.toUpperCase()),
    auth,
    http: http(facts),
    actions: [],
  });
  return {
    slack: provider(
      'slack',
      {
        readFault: slackFault,
        endpoints: [
          { path: '/api/conversations.list', repeatable: true },
          { path: '/api/chat.postMessage', repeatable: false },
        ],
      },
      auth((body) => [
        { kind: 'bot', accessToken: text(body, 'access_token'), refreshToken: text(body, 'refresh_token'), expiresInS: 43_200, scopes: [] },
      ]),
    ),
    stripe: provider(
      'stripe',
      { retry: { idempotencyHeader: 'Idempotency-Key' } },
      auth(() => []),
    ),
    google: provider(
      'google',
      { readFault: googleFault, endpoints: [{ path: '/calendar/v3/calendars/:calendar/events' }] },
      auth((body) => [{ kind: 'default', accessToken: text(body, 'access_token'), expiresInS: 3_599, scopes: [] }]),
    ),
  };
}

function auth(parse: (body: unknown) => ReturnType<ProviderAuth['parseTokenResponse']>): ProviderAuth {
  return { parseTokenResponse: parse, identify: () => Promise.reject(new Error('not asked here')) };
}

function oauth2(env: Record<string, string>, prefix: string): OAuth2Facts {
  return {
    clientId: env[`${prefix}_CLIENT_ID`]!,
    clientSecret: env[`${prefix}_CLIENT_SECRET`] ?? env[`${prefix}_SECRET_KEY`]!,
    authorizeUrl: env[`${prefix}_AUTHORIZE_URL`]!,
    tokenUrl: env[`${prefix}_TOKEN_URL`]!,
    scopes: [],
    scopeSeparator: ',',
    pkce: true,
    refusalCodes: ['invalid_grant', 'invalid_refresh_token'],
    clientFaultCodes: [],
  };
}

/** Slack answers 200 with `ok: false`. */
function slackFault({ json }: { json: unknown }): ProviderFault | undefined {
  const body = json as { ok?: boolean; error?: string } | undefined;
  if (!body || body.ok !== false) return undefined;
  const providerCode = body.error ?? '';
  switch (providerCode) {
    case 'ratelimited':
      return { code: 'provider_rate_limited', providerCode };
    case 'token_expired':
    case 'invalid_auth':
      return { code: 'needs_reauth', providerCode, tokenExpired: true };
    case 'token_revoked':
      return { code: 'needs_reauth', providerCode, grantEnded: true };
    case 'internal_error':
      return { code: 'provider_unavailable', providerCode, notExecuted: false };
    default:
      return { code: 'provider_rejected', providerCode };
  }
}

/** Google's quotas come as 403 too; only the reason tells them from a missing permission. */
function googleFault({ status, json }: { status: number; json: unknown }): ProviderFault | undefined {
  const reason = (json as { error?: { errors?: { reason?: string }[] } } | undefined)?.error?.errors?.[0]?.reason;
  return status === 403 && /rateLimitExceeded$/i.test(reason ?? '') ? { code: 'provider_rate_limited', providerCode: reason } : undefined;
}

function text(body: unknown, field: string): string {
  const value = (body as Record<string, unknown>)[field];
  if (typeof value !== 'string') throw new Error(`no ${field} in the answer`);
  return value;
}
