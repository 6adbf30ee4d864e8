import { createHash, createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { RawDelivery } from '../src/integrations';
import { filledAddress } from '../src/integrations/providers/plain/filled-address';
import type { KeyedScheme as SignatureScheme } from '../src/integrations/providers/signatures/signature-scheme';
import { verifySigned } from '../src/integrations/providers/signatures/verify-signed';

describe('a templated address', () => {
  const shop = (value: string) => filledAddress('https://{shop}.myshopify.com/admin/', { shop: value }, ['*.myshopify.com']);
  const instance = (value: string) => filledAddress('{instance}/services/', { instance: value }, ['*.my.salesforce.com']);

  it('is filled where it leads to the fixed hosts', () => {
    expect(shop('Acme-1')).toBe('https://acme-1.myshopify.com/admin/');
    expect(instance('https://acme.my.salesforce.com')).toBe('https://acme.my.salesforce.com/services/');
    expect(filledAddress('https://api.example.com/company/{realm}/', { realm: 'a b' }, [])).toBe('https://api.example.com/company/a%20b/');
  });

  it.each(['evil.com/', 'evil.com#', 'a.b', 'a@b', 'a:1', 'xn--80ak6aa92e', '..', '', 'a/../b', 'a%2eb', '-a', 'a\\b', 'a b', 'ä'])(
    'refuses %p as a label',
    (value) => {
      expect(() => shop(value)).toThrow(expect.objectContaining({ code: 'destination_refused' }));
    },
  );

  it.each([
    'https://evil.com',
    'http://acme.my.salesforce.com',
    'https://acme.my.salesforce.com:8443',
    'https://user@acme.my.salesforce.com',
    'https://acme.my.salesforce.com.evil.com',
    'https://a.b.my.salesforce.com',
    'https://acme.my.salesforce.com/x',
    'https://acme.my.salesforce.com?x',
    'https://xn--acme.my.salesforce.com',
    'https://evil.com\\@acme.my.salesforce.com',
  ])('refuses %p as an origin that was told', (value) => {
    expect(() => instance(value)).toThrow(expect.objectContaining({ code: 'destination_refused' }));
  });

  it('refuses a value that climbs in the path', () => {
    expect(() => filledAddress('https://api.example.com/{realm}/x', { realm: '..' }, [])).toThrow();
    expect(filledAddress('https://api.example.com/{realm}/x', { realm: '../y' }, [])).toBe('https://api.example.com/..%2Fy/x');
  });
});

describe('signatures as data', () => {
  const NOW = 1_700_000_000_000;
  const delivery = (headers: Record<string, string>, body: string): RawDelivery => ({ headers, body: Buffer.from(body), receivedAt: NOW });
  const verdict = (scheme: SignatureScheme, headers: Record<string, string>, body: string, secret: string, url = '') =>
    verifySigned(delivery(headers, body), [secret], scheme, url);

  it('GitHub’s own example', () => {
    // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
    const scheme: SignatureScheme = { kind: 'hmac', header: 'x-hub-signature-256', prefix: 'sha256=' };
    const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    expect(verdict(scheme, { 'x-hub-signature-256': signature }, 'Hello, World!', "It's a Secret to Everybody")).toEqual({ ok: true });
    expect(verdict(scheme, { 'x-hub-signature-256': signature }, 'Hello, World?', "It's a Secret to Everybody").ok).toBe(false);
    expect(verdict(scheme, {}, 'Hello, World!', "It's a Secret to Everybody")).toEqual({ ok: false, cause: 'no_signature' });
  });

  it('over method, address, body and time', () => {
    const scheme: SignatureScheme = {
      kind: 'hmac',
      header: 's',
      encoding: 'base64',
      signed: '{method}{url}{body}{timestamp}',
      timestamp: 't',
      timestampAs: 'ms',
    };
    const url = 'https://x.example/webhooks/hubspot';
    const s = createHmac('sha256', 'key').update(`POST${url}{}${NOW}`).digest('base64');
    expect(verdict(scheme, { s, t: String(NOW) }, '{}', 'key', url)).toEqual({ ok: true });
    expect(verdict(scheme, { s, t: String(NOW) }, '{}', 'key', `${url}?x`).ok).toBe(false);
    const late = NOW - 400_000;
    const lateSignature = createHmac('sha256', 'key').update(`POST${url}{}${late}`).digest('base64');
    expect(verdict(scheme, { s: lateSignature, t: String(late) }, '{}', 'key', url)).toEqual({ ok: false, cause: 'clock_skew' });
    expect(verdict(scheme, { s, t: String(late) }, '{}', 'key', url)).toEqual({ ok: false, cause: 'wrong_signature' });
  });

  it('in parts of one header', () => {
    const scheme: SignatureScheme = { kind: 'hmac', header: 's', signed: '{timestamp}.{body}', parts: { timestamp: 't', signature: 'v1' } };
    const v1 = createHmac('sha256', 'key')
      .update(`${NOW / 1000}.{}`)
      .digest('hex');
    expect(verdict(scheme, { s: `t=${NOW / 1000},v1=${v1}` }, '{}', 'key')).toEqual({ ok: true });
    expect(verdict(scheme, { s: `v1=${v1}` }, '{}', 'key')).toEqual({ ok: false, cause: 'malformed_signature' });
  });

  it('by a public key: Ed25519 and ECDSA', () => {
    const time = String(NOW / 1000);
    const ed = generateKeyPairSync('ed25519');
    const hex = ed.publicKey.export({ format: 'der', type: 'spki' }).subarray(12).toString('hex');
    const edScheme: SignatureScheme = { kind: 'ed25519', header: 's', timestamp: 't' };
    const edSigned = sign(null, Buffer.from(`${time}{}`), ed.privateKey).toString('hex');
    expect(verdict(edScheme, { s: edSigned, t: time }, '{}', hex)).toEqual({ ok: true });
    expect(verdict(edScheme, { s: edSigned, t: time }, '[]', hex).ok).toBe(false);
    const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const key = ec.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
    const ecScheme: SignatureScheme = { kind: 'ecdsa', header: 's', timestamp: 't' };
    const ecSigned = sign('sha256', Buffer.from(`${time}{}`), ec.privateKey).toString('base64');
    expect(verdict(ecScheme, { s: ecSigned, t: time }, '{}', key)).toEqual({ ok: true });
    expect(verdict(ecScheme, { s: ecSigned, t: time }, '[]', key).ok).toBe(false);
    expect(verdict(ecScheme, { s: ecSigned, t: time }, '{}', 'not a key').ok).toBe(false);
  });

  it('a JWT that holds the hash of the body, and a token in a header', () => {
    const scheme: SignatureScheme = { kind: 'jwt', header: 's', bodyHash: 'sha256' };
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iat: NOW / 1000, sha256: createHash('sha256').update('{}').digest('hex') };
    const jwt = (head: object) => {
      const signed = `${part(head)}.${part(claims)}`;
      return `${signed}.${createHmac('sha256', 'key').update(signed).digest('base64url')}`;
    };
    expect(verdict(scheme, { s: jwt({ alg: 'HS256' }) }, '{}', 'key')).toEqual({ ok: true });
    expect(verdict(scheme, { s: jwt({ alg: 'HS256' }) }, '[]', 'key').ok).toBe(false);
    expect(verdict(scheme, { s: jwt({ alg: 'none' }) }, '{}', 'key').ok).toBe(false);
    expect(verdict({ kind: 'token', header: 's' }, { s: 'key' }, '{}', 'key')).toEqual({ ok: true });
    expect(verdict({ kind: 'token', header: 's' }, { s: 'kez' }, '{}', 'key')).toEqual({ ok: false, cause: 'wrong_token' });
  });
});
