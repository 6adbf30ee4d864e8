import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../clock';
import type { Settings } from '../../config/env';
import { TokenVerifier } from './token-verifier';

const SECRET = 'x'.repeat(40);
const now = () => Math.floor(systemClock.now() / 1_000);
const claims = () => ({ sub: 'u1', tenant: 'acme', exp: now() + 600 });
const verifier = (settings: Partial<Settings>, clock = systemClock) => new TokenVerifier(settings as Settings, clock);

describe('TokenVerifier with a key set', () => {
  let server: Server;
  let url: string;
  let keys: unknown[] = [];
  let hits = 0;

  beforeAll(async () => {
    server = createServer((_, answer) => {
      hits++;
      answer.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('takes any key of the set, fetched once', async () => {
    const pair = await generateKeyPair('ES256');
    keys = [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256' }];
    hits = 0;
    const tokens = verifier({ apiJwksUrl: url });
    const token = await new SignJWT({ ...claims(), role: 'admin' }).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(pair.privateKey);
    for (let i = 0; i < 3; i++) expect((await tokens.verify(token)).caller).toEqual({ tenant: 'acme', userId: 'u1', role: 'admin' });
    expect(hits).toBe(1);
  });

  it('never takes a public key for an HMAC secret', async () => {
    const pair = await generateKeyPair('RS256', { extractable: true });
    const jwk = await exportJWK(pair.publicKey);
    keys = [{ ...jwk, kid: 'k2' }];
    const forged = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'HS256', kid: 'k2' })
      .sign(Buffer.from(jwk.n as string, 'base64url'));
    await expect(verifier({ apiJwksUrl: url }).verify(forged)).rejects.toMatchObject({ code: 'unauthorized' });
    await expect(verifier({ apiJwksUrl: url, apiJwtSecret: SECRET }).verify(forged)).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('says that the keys cannot be fetched, not that the token is bad', async () => {
    const pair = await generateKeyPair('ES256');
    const token = await new SignJWT(claims()).setProtectedHeader({ alg: 'ES256' }).sign(pair.privateKey);
    await expect(verifier({ apiJwksUrl: 'http://127.0.0.1:9/jwks' }).verify(token)).rejects.toMatchObject({
      code: 'sign_in_unavailable',
      status: 503,
    });
  });
});

it('reads the end of a token on the injected clock, give or take five seconds', async () => {
  const token = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(SECRET));
  const at = (seconds: number) =>
    verifier({ apiJwtSecret: SECRET }, { ...systemClock, now: () => systemClock.now() + seconds * 1_000 }).verify(token);
  await expect(at(603)).resolves.toMatchObject({ caller: { tenant: 'acme' } });
  await expect(at(607)).rejects.toMatchObject({ code: 'unauthorized' });
});

it.each(['', 'Bearer', 'Basic abc', 'Bearer a.b', 'Bearer a.b.c, Bearer d.e.f', `Bearer ${'a'.repeat(9_000)}.b.c`])(
  'refuses the header %j',
  async (header) => {
    await expect(verifier({ apiJwtSecret: SECRET }).callerOf(header)).rejects.toMatchObject({ code: 'unauthorized' });
  },
);

describe('what a token is bound to', () => {
  const sign = (payload: Record<string, unknown>, header: { typ?: string } = {}) =>
    new SignJWT({ ...claims(), ...payload }).setProtectedHeader({ alg: 'HS256', ...header }).sign(new TextEncoder().encode(SECRET));
  const bound = (more: Partial<Settings> = {}) => verifier({ apiJwtSecret: SECRET, ...more });

  it('takes only the issuer and the audience that are set', async () => {
    const tokens = bound({ apiJwtIssuer: 'https://app.example', apiJwtAudience: 'trestle' });
    await expect(tokens.verify(await sign({ iss: 'https://app.example', aud: 'trestle' }))).resolves.toMatchObject({
      caller: { userId: 'u1' },
    });
    for (const other of [
      {},
      { iss: 'https://app.example' },
      { iss: 'https://other.example', aud: 'trestle' },
      { iss: 'https://app.example', aud: 'billing' },
    ])
      await expect(tokens.verify(await sign(other))).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('refuses a life that is longer than allowed, from its issue or from now', async () => {
    await expect(bound().verify(await sign({ iat: now(), exp: now() + 86_400 }))).resolves.toBeDefined();
    await expect(bound().verify(await sign({ iat: now(), exp: now() + 86_500 }))).rejects.toMatchObject({ code: 'unauthorized' });
    await expect(bound().verify(await sign({ exp: now() + 86_500 }))).rejects.toMatchObject({ code: 'unauthorized' });
    await expect(bound({ apiJwtMaxLifetimeS: 60 }).verify(await sign({ iat: now(), exp: now() + 120 }))).rejects.toMatchObject({
      code: 'unauthorized',
    });
  });

  it('refuses a token from the future', async () => {
    await expect(bound().verify(await sign({ iat: now() + 60 }))).rejects.toMatchObject({
      code: 'unauthorized',
      cause: { message: expect.stringContaining('future') },
    });
  });

  it.each(['logout+jwt', 'secevent+jwt', 'dpop+jwt'])('refuses a token of the type %s', async (typ) => {
    await expect(bound().verify(await sign({}, { typ }))).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it.each(['JWT', 'at+jwt', 'application/at+jwt'])('takes a token of the type %s', async (typ) => {
    await expect(bound().verify(await sign({}, { typ }))).resolves.toBeDefined();
  });

  it('reads organization and role from the claims that are set', async () => {
    const tokens = bound({ apiJwtTenantClaim: 'org_id', apiJwtRoleClaim: 'trestle_role' });
    const token = await sign({ org_id: 'o1', trestle_role: 'admin', tenant: 'elsewhere', role: 'operator' });
    await expect(tokens.verify(token)).resolves.toMatchObject({ caller: { tenant: 'o1', userId: 'u1', role: 'admin' } });
  });
});
