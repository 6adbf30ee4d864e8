import type { HttpFacts } from '../../contract';
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
