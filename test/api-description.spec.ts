import { startTestApp, type TestApp } from './support/test-app';

/** What callers were promised: docs and code may say more, never less. */
const PROMISED = [
  'get /v1/providers',
  'post /v1/connect-sessions',
  'post /v1/connections',
  'get /v1/connections',
  'get /v1/connections/{id}',
  'delete /v1/connections/{id}',
  'post /v1/connections/{id}/syncs',
  'get /v1/connections/{id}/syncs',
  'get /v1/connections/{id}/records/{resource}',
  'get /v1/connections/{id}/slack/channels',
  'post /v1/connections/{id}/slack/messages',
  'post /v1/connections/{id}/stripe/subscriptions',
  'delete /v1/connections/{id}/stripe/subscriptions/{subscriptionId}',
  'post /v1/connections/{id}/google/emails',
  'get /v1/connections/{id}/google/calendars/{calendarId}/events',
  'get /v1/admin/health',
  'get /v1/admin/health/{provider}',
  'get /v1/admin/webhook-events',
  'get /v1/admin/webhook-events/{id}',
  'post /v1/admin/webhook-events/{id}/replay',
  'post /v1/admin/webhook-events/replay',
  'get /v1/admin/requests',
  'get /v1/admin/sync-runs',
  'get /v1/admin/alerts',
  'post /v1/admin/alerts/{id}/acknowledge',
  'get /v1/admin/queue',
  'post /webhooks/{provider}',
  'get /health/live',
  'get /health/ready',
  'get /metrics',
];
const ID = '0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6';

interface Operation {
  parameters?: { name: string; in: string }[];
  security?: unknown[];
  responses: Record<string, unknown>;
}

describe('the description of the API', () => {
  let test: TestApp;
  let operations: { method: string; path: string; operation: Operation }[];

  beforeAll(async () => {
    test = await startTestApp();
    const document = (await (await fetch(`${test.url}/docs-json`)).json()) as { paths: Record<string, Record<string, Operation>> };
    operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ method, path, operation })),
    );
  });
  afterAll(() => test.close());

  it('names every promised route', () => {
    expect(operations.map(({ method, path }) => `${method} ${path}`)).toEqual(expect.arrayContaining(PROMISED));
  });

  it('tells of every parameter of a path, how failures look, and that the API needs a token', () => {
    for (const { method, path, operation } of operations) {
      const named = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`);
      expect([method, path, named]).toEqual([method, path, path.match(/\{\w+\}/g) ?? []]);
      expect(operation.responses).toHaveProperty('default');
      expect([path, Boolean(operation.security)]).toEqual([path, path.startsWith('/v1/')]);
    }
  });

  it('holds: no route of the API answers without a token, or an admin route to a user', async () => {
    const bearer = { authorization: `Bearer ${await test.tokenFor({ tenant: 'acme', user: 'u1' })}` };
    for (const { method, path } of operations.filter((known) => known.path.startsWith('/v1/'))) {
      const url = test.url + path.replaceAll('{provider}', 'slack').replace(/\{\w+\}/g, ID);
      const call = async (headers: Record<string, string>) => {
        const answer = await fetch(url, { method: method.toUpperCase(), headers });
        await answer.arrayBuffer();
        return answer.status;
      };
      expect([method, path, await call({})]).toEqual([method, path, 401]);
      if (path.startsWith('/v1/admin/')) expect([method, path, await call(bearer)]).toEqual([method, path, 403]);
    }
  });
});
