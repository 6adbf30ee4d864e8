import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { edgeClient, problem, rawStatus, shape } from './support/edge-client';
import { ProbeModule } from './support/probe.module';
import { startTestApp, type TestApp } from './support/test-app';

const JSON_HEADERS = { 'content-type': 'application/json' };
const METRICS_TOKEN = 'a-token-that-reads-the-metrics,-nothing-else';

describe('who may come in', () => {
  let test: TestApp;
  let bearer: { authorization: string };

  beforeAll(async () => {
    test = await startTestApp({ imports: [ProbeModule], sandbox: false, settings: { METRICS_TOKEN } });
    bearer = { authorization: `Bearer ${await test.tokenFor({ tenant: 'acme', user: 'u1' })}` };
  });
  afterAll(() => test.close());

  const { get, post } = edgeClient(() => test.url);
  const sign = (claims: Record<string, unknown>, key: Parameters<SignJWT['sign']>[0] = secret(), alg = 'HS256') =>
    new SignJWT(claims).setProtectedHeader({ alg }).sign(key);
  const secret = () => new TextEncoder().encode(test.settings.apiJwtSecret);
  const inAnHour = () => Math.floor(Date.now() / 1_000) + 3_600;
  describe('by a token', () => {
    it('knows the caller by the token of the header', async () => {
      expect(await (await get('/v1/things', bearer)).json()).toEqual({
        caller: { tenant: 'acme', userId: 'u1', role: 'user' },
        limit: 100,
      });
    });

    it('refuses who brings no token, or brings it in the address', async () => {
      const token = bearer.authorization.slice(7);
      for (const path of ['/v1/things', `/v1/things?token=${token}`, `/v1/things?access_token=${token}`]) {
        const answer = await get(path);
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
        expect(await problem(answer)).toEqual(shape(401, 'unauthorized'));
      }
    });

    it.each([
      ['without a tenant', () => sign({ sub: 'u1', exp: inAnHour() })],
      ['with an empty tenant', () => sign({ sub: 'u1', tenant: '', exp: inAnHour() })],
      ['with a tenant that is a list', () => sign({ sub: 'u1', tenant: ['acme'], exp: inAnHour() })],
      ['without a user', () => sign({ tenant: 'acme', exp: inAnHour() })],
      ['without an end', () => sign({ sub: 'u1', tenant: 'acme' })],
      ['that has ended', () => sign({ sub: 'u1', tenant: 'acme', exp: inAnHour() - 7_200 })],
      ['with a role that does not exist', () => sign({ sub: 'u1', tenant: 'acme', role: 'root', exp: inAnHour() })],
      ['signed with another secret', () => sign({ sub: 'u1', tenant: 'acme', exp: inAnHour() }, new TextEncoder().encode('x'.repeat(32)))],
      ['signed with a longer HMAC', () => sign({ sub: 'u1', tenant: 'acme', exp: inAnHour() }, secret(), 'HS512')],
      ['with a line break in the tenant', () => sign({ sub: 'u1', tenant: 'a\ncme', exp: inAnHour() })],
      ['without a signature', async () => new UnsecuredJWT({ tenant: 'acme' }).setSubject('u1').setExpirationTime(inAnHour()).encode()],
      [
        'signed with a private key of nobody',
        async () => sign({ sub: 'u1', tenant: 'acme', exp: inAnHour() }, (await generateKeyPair('RS256')).privateKey, 'RS256'),
      ],
    ])('refuses a token %s', async (_, make) => {
      expect(await problem(await get('/v1/things', { authorization: `Bearer ${await make()}` }))).toEqual(shape(401, 'unauthorized'));
    });

    it('refuses a role that is not enough, and lets a higher one in', async () => {
      expect(await problem(await get('/v1/things/admin', bearer))).toEqual(shape(403, 'forbidden'));
      for (const role of ['admin', 'operator'] as const) {
        const token = await test.tokenFor({ tenant: 'acme', user: 'a1', role });
        expect((await get('/v1/things/admin', { authorization: `Bearer ${token}` })).status).toBe(200);
      }
    });

    it('lets support staff read status and logs, use nothing, and change nothing', async () => {
      const support = { authorization: `Bearer ${await test.tokenFor({ tenant: 'acme', user: 's1', role: 'support' })}` };
      for (const path of [
        '/v1/providers',
        '/v1/connections',
        '/v1/admin/health',
        '/v1/admin/requests',
        '/v1/admin/webhook-events',
        '/v1/admin/sync-runs',
        '/v1/admin/alerts',
      ])
        expect([path, (await get(path, support)).status]).toEqual([path, 200]);
      const id = '01890000-0000-7000-8000-000000000000';
      for (const path of [
        '/v1/things',
        '/v1/things/admin',
        `/v1/connections/${id}/records/channels`,
        `/v1/connections/${id}/proxy/x`,
        '/v1/admin/providers/twitch/app/proxy/x',
        '/v1/admin/destinations',
      ])
        expect([path, (await get(path, support)).status]).toEqual([path, 403]);
      const changes = [
        '/v1/connect-sessions',
        '/v1/connections',
        `/v1/connections/${id}/syncs`,
        `/v1/admin/webhook-events/${id}/replay`,
        `/v1/admin/alerts/${id}/acknowledge`,
      ];
      for (const path of changes) expect([path, (await post(path, '{}', { ...JSON_HEADERS, ...support })).status]).toEqual([path, 403]);
    });

    it('opens the metrics, and nothing else, with METRICS_TOKEN', async () => {
      const reader = { authorization: `Bearer ${METRICS_TOKEN}` };
      expect((await get('/metrics', reader)).status).toBe(200);
      for (const path of ['/v1/things', '/v1/admin/health', '/probe-page'])
        expect([path, (await get(path, reader)).status]).toEqual([path, 401]);
      expect((await get('/metrics', bearer)).status).toBe(403);
      expect((await get('/metrics')).status).toBe(401);
      expect((await get('/metrics', { authorization: `Bearer ${'x'.repeat(44)}` })).status).toBe(401);
    });

    it('stands before every spelling and method of an address', async () => {
      const spellings = [
        '/v1/things/',
        '//v1/things',
        '/v1//things',
        '/v1/%74hings',
        '/%761/things',
        '/V1/things',
        '/v1/./things',
        '/v1/things;x=1',
        '/v1/things%2f',
      ];
      for (const path of spellings) {
        expect([path, (await rawStatus(test.url, 'GET', path)) >= 400]).toEqual([path, true]);
      }
      expect(await rawStatus(test.url, 'HEAD', '/v1/things')).toBe(401);
      expect((await post('/v1/things', '{}', { ...JSON_HEADERS, 'x-http-method-override': 'GET' })).status).toBe(401);
    });
  });
});
