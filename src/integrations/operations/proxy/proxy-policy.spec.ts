import type { ProviderSettings } from '../../../config/provider-settings';
import type { HttpFacts } from '../../contract';
import { plainHttp } from '../../providers/plain/plain-http';
import { assertAllowedThroughProxy } from './proxy-policy';

const FACTS: HttpFacts = {
  endpoints: [
    { path: '/v1/token', proxy: 'never' },
    { method: 'GET', path: '/v1/things/:id' },
    { path: '/v1/:rest+', proxy: 'any' },
  ],
  limits: {},
  defaultLimits: [],
};
const call = (method: string, path: string) => ({ method, target: new URL(`https://api.example.com${path}`), headers: new Headers() });
const refusal = expect.objectContaining({ code: 'proxy_not_allowed', status: 403, notExecuted: true }) as Error;

describe('what the proxy takes of a provider that is data', () => {
  const http = plainHttp(
    {
      key: 'plain',
      name: 'Plain',
      docs: 'https://example.com/docs',
      checked: { at: '2026-01-01', against: 'nothing' },
      apiBaseUrl: 'https://{shop}.example.com/api/{version}/',
      account: { path: 'me?fields=id', id: '/id' },
      oauth2: { authorizeUrl: 'https://x.example.com/a', tokenUrl: 'https://{shop}.example.com/oauth/token', scopes: [] },
      endpoints: [{ method: 'POST', path: '/api/:version/notes' }],
      resources: [
        { name: 'notes', label: 'Notes', extent: 'whole', path: 'notes', page: { by: 'link' } },
        { name: 'posted', label: 'Posted', extent: 'whole', path: 'graphql', method: 'POST', page: { by: 'link' } },
      ],
    },
    {} as ProviderSettings,
    {},
  );

  it.each([
    ['GET', '/api/2/me', ['declared', 'any']],
    ['GET', '/api/2/notes', ['declared', 'any']],
    ['POST', '/api/2/notes', ['declared', 'any']],
    ['DELETE', '/api/2/notes', ['any']],
    ['POST', '/api/2/graphql', ['any']],
    ['GET', '/api/2/admin/users', ['any']],
    ['POST', '/oauth/token', []],
  ])('%s %s: with %j', (method, path, modes) => {
    for (const mode of ['declared', 'any'] as const) {
      const attempt = () => assertAllowedThroughProxy(call(method, path), http, mode);
      if (modes.includes(mode)) expect(attempt).not.toThrow();
      else expect(attempt).toThrow(refusal);
    }
  });
});

describe('what the proxy takes', () => {
  it.each([
    ['GET', '/v1/things/1', ['declared', 'any']],
    // Named for another method only.
    ['DELETE', '/v1/things/1', ['any']],
    // A pattern for limits names nothing.
    ['GET', '/v1/other', ['any']],
    ['GET', '/v2/other', ['any']],
    ['POST', '/v1/token', []],
  ])('%s %s: with %j', (method, path, modes) => {
    for (const mode of ['declared', 'any', 'off'] as const) {
      const attempt = () => assertAllowedThroughProxy(call(method, path), FACTS, mode);
      if (modes.includes(mode)) expect(attempt).not.toThrow();
      else expect(attempt).toThrow(refusal);
    }
  });
});
