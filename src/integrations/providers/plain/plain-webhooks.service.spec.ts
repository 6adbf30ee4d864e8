import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { plainServices } from './plain-engine';
import type { PlainProvider } from './plain-provider';

type CryptoKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

const NOW = Date.now();
const BODY = JSON.stringify({ id: 'e1', type: 'thing.changed' });

const acme: PlainProvider = {
  key: 'acme',
  name: 'Acme',
  docs: 'https://acme.example/docs',
  checked: { at: '2026-11-28', against: 'nothing: it is pretended' },
  apiBaseUrl: 'https://api.acme.example/',
  apiKey: { help: 'In Acme.' },
  account: { path: 'me', id: '/id' },
  webhooks: {
    scheme: {
      kind: 'jwks',
      keys: 'https://acme.example/keys',
      issuers: ['https://acme.example'],
      bodyHash: 'body_sha256',
      algorithm: 'ES256',
    },
    eventId: '/id',
    type: ['/type'],
  },
};

describe('deliveries that are signed with published keys', () => {
  let server: Server;
  let keysUrl: string;
  let key: CryptoKey;
  let asked = 0;
  beforeAll(async () => {
    const pair = await generateKeyPair('ES256');
    key = pair.privateKey;
    const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256' }] });
    server = createServer((_, response) => {
      asked++;
      response.setHeader('content-type', 'application/json').end(jwks);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    keysUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const services = (webhookAudience?: string) =>
    plainServices(
      acme,
      { webhookSecrets: [], webhookKeysUrl: keysUrl, ...(webhookAudience && { webhookAudience }) },
      () => 'https://us.example',
    );
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const token = (claims: object = {}, { kid = 'k1', with: by = key }: { kid?: string; with?: CryptoKey } = {}) =>
    new SignJWT({ iss: 'https://acme.example', aud: 'our-app', body_sha256: sha256(BODY), ...claims })
      .setProtectedHeader({ alg: 'ES256', kid })
      .setIssuedAt(NOW / 1000)
      .setExpirationTime(NOW / 1000 + 60)
      .sign(by);
  const verdict = async (jwt: string | undefined, { body = BODY, receivedAt = NOW, audience = 'our-app' as string | undefined } = {}) =>
    services(audience).webhooks!.verify({
      headers: jwt === undefined ? {} : { authorization: `Bearer ${jwt}` },
      body: Buffer.from(body),
      receivedAt,
    });

  it('are taken with a good token, and its keys are asked for once', async () => {
    const { webhooks } = services('our-app');
    const delivery = { headers: { authorization: `Bearer ${await token()}` }, body: Buffer.from(BODY), receivedAt: NOW };
    const before = asked;
    expect([await webhooks!.verify(delivery), await webhooks!.verify(delivery)]).toEqual([{ ok: true }, { ok: true }]);
    expect(asked).toBe(before + 1);
    expect(webhooks!.configured).toBe(true);
    expect(webhooks!.parse(delivery).events).toEqual([{ eventId: 'e1', type: 'thing.changed' }]);
    // All accounts' are verified with the same keys: there is no address of one alone.
    expect(webhooks!.withSecrets).toBeUndefined();
  });

  it('are refused for another body, audience, issuer, key or time, and without a token', async () => {
    const other = (await generateKeyPair('ES256')).privateKey;
    expect(await verdict(await token(), { body: `${BODY} ` })).toEqual({ ok: false, cause: 'wrong_signature' });
    expect(await verdict(await token({ body_sha256: undefined }))).toEqual({ ok: false, cause: 'wrong_signature' });
    expect(await verdict(await token({ aud: 'another-app' }))).toEqual({ ok: false, cause: 'wrong_token' });
    expect(await verdict(await token({ iss: 'https://evil.example' }))).toEqual({ ok: false, cause: 'wrong_token' });
    expect(await verdict(await token({}, { with: other }))).toEqual({ ok: false, cause: 'wrong_signature' });
    expect(await verdict(await token({}, { kid: 'k2' }))).toEqual({ ok: false, cause: 'wrong_signature' });
    expect(await verdict(await token(), { receivedAt: NOW + 600_000 })).toEqual({ ok: false, cause: 'clock_skew' });
    expect(await verdict('no.token')).toEqual({ ok: false, cause: 'malformed_signature' });
    expect(await verdict(undefined)).toEqual({ ok: false, cause: 'no_signature' });
  });

  it('are all refused where nobody said whom they must be for', async () => {
    expect(services().webhooks!.configured).toBe(false);
    expect(await services().webhooks!.verify({ headers: {}, body: Buffer.from(BODY), receivedAt: NOW })).toEqual({
      ok: false,
      cause: 'no_secret',
    });
  });
});
