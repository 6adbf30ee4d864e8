import type { PlainProvider } from '../../integrations';

export const tableau: PlainProvider = {
  key: 'tableau',
  name: 'Tableau Cloud',
  docs: 'https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_auth.htm',
  checked: { at: '2026-11-28', against: 'help.tableau.com' },
  apiBaseUrl: 'https://{pod}.online.tableau.com/api/3.24/',
  hosts: ['*.online.tableau.com'],
  ask: {
    pod: { label: 'Pod before .online.tableau.com', pattern: /[a-z0-9][a-z0-9-]{0,40}/, example: '10ax' },
    site: { label: 'Site as its address names it', pattern: /[A-Za-z0-9_-]{1,200}/, example: 'acme' },
    tokenName: { label: 'Name of a personal access token', pattern: /\S.{0,199}/, example: 'trestle' },
    tokenSecret: {
      label: 'Secret of the personal access token',
      pattern: /[\x21-\x7e]{8,500}/,
      example: 'secret-of-your-token',
      secret: true,
    },
  },
  oauth2: {
    grant: 'login',
    tokenUrl: 'https://{pod}.online.tableau.com/api/3.24/auth/signin',
    signIn: {
      credentials: {
        personalAccessTokenName: '{tokenName}',
        personalAccessTokenSecret: '{tokenSecret}',
        site: { contentUrl: '{site}' },
      },
    },
    revokeUrl: 'https://{pod}.online.tableau.com/api/3.24/auth/signout',
    revoke: { as: 'token' },
  },
  // 120 minutes; its answer does not say so in seconds. A token that is used once more elsewhere ends ours: the next call signs in anew.
  token: { access: '/credentials/token', expiresIn: '=7200' },
  credential: { in: 'header', name: 'x-tableau-auth' },
  account: { id: 'token:/credentials/site/id', name: 'token:/credentials/site/contentUrl' },
};
