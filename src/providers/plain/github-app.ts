import type { PlainProvider } from '../../integrations';
import { githubOperations, repositoryShape } from './github.schemas';

/** GitHub by an app that accounts install: it works for as long as it is installed, whoever of them leaves. */
export const githubApp: PlainProvider = {
  key: 'github-app',
  name: 'GitHub App',
  docs: 'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/about-authentication-with-a-github-app',
  checked: { at: '2026-11-28', against: 'docs.github.com' },
  apiBaseUrl: 'https://api.github.com/',
  oauth2: {
    authorizeUrl: 'https://github.com/login/oauth/authorize',
    tokenUrl: 'https://github.com/login/oauth/access_token',
    clientFaultCodes: ['incorrect_client_credentials', 'redirect_uri_mismatch'],
    refusalCodes: ['bad_verification_code'],
    // https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
    installation: {
      path: 'app/installations/{installation}/access_tokens',
      token: { access: '/token', expiresAt: '/expires_at' },
      faults: [{ status: 404, at: '/message', is: 'Not Found', code: 'needs_reauth' }],
      setup:
        'A GitHub App with the permissions that you need, and with Members: read of organizations, without which nobody is known to be an owner of one. It is installed at https://github.com/apps/NAME/installations/new; whoever administers the account then connects it.',
    },
    // https://docs.github.com/en/rest/apps/installations#revoke-an-installation-access-token: the app stays installed.
    revokeUrl: 'https://api.github.com/installation/token',
    revoke: { method: 'DELETE', as: 'token' },
  },
  app: { by: 'jwt' },
  headers: { 'x-github-api-version': '2022-11-28' },
  endpoints: [
    // https://docs.github.com/en/rest/apps/apps: what the app may do with installations and its own secrets is not a call of one's own.
    { method: 'DELETE', path: '/app/installations/:installation', proxy: 'never' },
    { path: '/app/installations/:installation/suspended', proxy: 'never' },
    { path: '/app/hook/config', proxy: 'never' },
    { path: '/applications/:client/token', proxy: 'never' },
    { path: '/applications/:client/token/scoped', proxy: 'never' },
    { path: '/applications/:client/grant', proxy: 'never' },
    { method: 'GET', path: '/app' },
    { method: 'GET', path: '/app/installations' },
    { method: 'GET', path: '/repos/:owner/:repo' },
  ],
  account: {
    // https://docs.github.com/en/rest/apps/installations#list-app-installations-accessible-to-the-user-access-token
    path: 'user/installations?per_page=100',
    id: '/account/id',
    name: '/account/login',
    routingKey: '/id',
    several: {
      items: '/installations',
      values: { installation: '/id', login: '/account/login' },
      person: { path: 'user', id: '/id' },
      // Who can read one repository of an installation sees it in the list: that is not enough to give it away.
      administered: [
        { at: '/target_type', is: 'User', own: '/account/id' },
        // https://docs.github.com/en/rest/orgs/members#get-an-organization-membership-for-the-authenticated-user
        {
          at: '/target_type',
          is: 'Organization',
          path: 'user/memberships/orgs/{login}',
          where: { '/state': 'active', '/role': 'admin' },
        },
      ],
    },
  },
  // https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api: 5,000 an hour and more, of each installation.
  limits: { account: { perSecond: 1.3, burst: 100, per: 'account' } },
  faults: [
    { status: 403, at: '/message', is: 'This installation has been suspended', code: 'organization_forbids' },
    { status: 403, at: 'header:x-ratelimit-remaining', is: '0', code: 'provider_rate_limited' },
    { status: 403, at: 'header:retry-after', code: 'provider_rate_limited' },
  ],
  webhooks: {
    scheme: { kind: 'hmac', header: 'x-hub-signature-256', prefix: 'sha256=' },
    eventId: 'header:x-github-delivery',
    type: ['header:x-github-event', '/action'],
    routingKey: '/installation/id',
    objectId: '/repository/id',
    objectVersion: '/repository/updated_at',
    records: [
      { types: ['repository.*'], resource: 'repositories', at: '/repository', gone: ['repository.deleted'] },
      { types: ['installation_repositories.*'], resource: 'repositories' },
    ],
    ended: ['installation.deleted'],
  },
  resources: [
    {
      name: 'repositories',
      label: 'Repositories',
      shape: repositoryShape,
      // https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation
      extent: 'whole',
      path: 'installation/repositories',
      items: '/repositories',
      version: '/updated_at',
      query: { per_page: '100' },
      page: { by: 'link' },
    },
  ],
  // What an installation may do are the permissions of the app, which have no names that a consent asks for.
  operations: githubOperations.map(({ scopes: _, ...operation }) => operation),
};
