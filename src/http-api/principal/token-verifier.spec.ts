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
    for (let i = 0; i < 3; i++) expect(await tokens.verify(token)).toEqual({ tenant: 'acme', userId: 'u1', role: 'admin' });
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
  await expect(at(603)).resolves.toMatchObject({ tenant: 'acme' });
  await expect(at(607)).rejects.toMatchObject({ code: 'unauthorized' });
});

it.each(['', 'Bearer', 'Basic abc', 'Bearer a.b', 'Bearer a.b.c, Bearer d.e.f', `Bearer ${'a'.repeat(9_000)}.b.c`])(
  'refuses the header %j',
  async (header) => {
    await expect(verifier({ apiJwtSecret: SECRET }).callerOf(header)).rejects.toMatchObject({ code: 'unauthorized' });
  },
);
