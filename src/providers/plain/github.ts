import type { PlainProvider } from '../../integrations';
import { githubOperations, issueShape, repositoryShape } from './github.schemas';

/** https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api#personal-access-tokens-and-saml-sso */
const SINGLE_SIGN_ON = {
  at: 'header:x-github-sso',
  why: 'What belongs to organizations that ask for single sign-on is left out until the person has done that.',
};

export const github: PlainProvider = {
  key: 'github',
  name: 'GitHub',
  docs: 'https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic, @auth/core' },
  apiBaseUrl: 'https://api.github.com/',
  oauth2: {
    authorizeUrl: 'https://github.com/login/oauth/authorize',
    tokenUrl: 'https://github.com/login/oauth/access_token',
    scopes: ['read:user', 'repo'],
    revokeUrl: 'https://api.github.com/applications/{clientId}/grant',
    revoke: { method: 'DELETE', as: 'app', bodyAs: 'json', body: { access_token: '{accessToken}' } },
    clientFaultCodes: ['incorrect_client_credentials', 'redirect_uri_mismatch'],
    refusalCodes: ['bad_verification_code', 'bad_refresh_token'],
  },
  apiKey: { help: 'In GitHub under Settings, Developer settings: a personal access token.' },
  headers: { 'x-github-api-version': '2022-11-28' },
  // https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api: an OAuth app's id and secret read what is public.
  app: { by: 'basic' },
  endpoints: [
    // https://docs.github.com/en/rest/apps/oauth-applications: these look up, renew and end people's tokens, and not one connection's alone.
    { path: '/applications/:client/token', proxy: 'never' },
    { path: '/applications/:client/token/scoped', proxy: 'never' },
    { method: 'GET', path: '/repos/:owner/:repo' },
  ],
  account: { path: 'user', id: '/id', name: '/login' },
  limits: { account: { perSecond: 1.3, burst: 100, per: 'account' } },
  faults: [
    { status: 403, at: 'header:x-ratelimit-remaining', is: '0', code: 'provider_rate_limited' },
    { status: 403, at: 'header:retry-after', code: 'provider_rate_limited' },
  ],
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-hub-signature-256', prefix: 'sha256=' },
    eventId: 'header:x-github-delivery',
    type: ['header:x-github-event', '/action'],
    routingKey: ['/repository/owner/id', '/organization/id', '/sender/id'],
    objectId: ['/issue/id', '/repository/id'],
    objectVersion: ['/issue/updated_at', '/repository/updated_at'],
    records: [
      // One that is transferred is another issue from then on.
      { types: ['issues.*'], resource: 'issues', at: '/issue', gone: ['issues.deleted', 'issues.transferred'], partOf: '/repository/id' },
      { types: ['repository.*'], resource: 'repositories', at: '/repository', gone: ['repository.deleted'] },
    ],
    ended: ['github_app_authorization.revoked'],
  },
  resources: [
    {
      name: 'repositories',
      label: 'Repositories',
      shape: repositoryShape,
      extent: { wholeWith: ['repo'], otherwise: 'Private repositories may be left out.' },
      partial: SINGLE_SIGN_ON,
      path: 'user/repos',
      version: '/updated_at',
      query: { per_page: '100', sort: 'updated', direction: 'asc' },
      page: { by: 'link' },
      since: { param: 'since', as: 'iso' },
    },
    {
      name: 'issues',
      label: 'Issues',
      shape: issueShape,
      // All that the person can see, open and closed.
      extent: { wholeWith: ['repo'], otherwise: 'Issues of private repositories may be left out.' },
      partial: SINGLE_SIGN_ON,
      partOf: { resource: 'repositories', at: '/repository/id' },
      path: 'issues',
      version: '/updated_at',
      query: { per_page: '100', filter: 'all', state: 'all', sort: 'updated', direction: 'asc' },
      page: { by: 'link' },
      since: { param: 'since', as: 'iso' },
    },
  ],
  operations: githubOperations,
};
