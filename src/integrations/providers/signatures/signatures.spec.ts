import { createHmac, randomBytes } from 'node:crypto';
import Stripe from 'stripe';
import { verifySlackRequest } from '@slack/bolt';
import type { RawDelivery, Verdict } from '../../contract';
import { PubsubIssuer, rawDelivery, signedDelivery, signSlack, signStripe, type DeliveryOptions } from '../../webhooks/testing';
import { hashChannelToken, verifyChannelToken } from './channel-token.scheme';
import { JwksVerifier } from './jwks.verifier';
import { verifyHmac } from './hmac.scheme';
import { verifyStandardWebhook } from './standard.scheme';
import { verifySigned } from './verify-signed';
import { pushToken } from '../../../providers/google/google.facts';
import { SLACK_SIGNATURE } from '../../../providers/slack/slack.facts';
import { STRIPE_SIGNATURE } from '../../../providers/stripe/stripe.facts';

const verifySlackSignature = (delivery: RawDelivery, secrets: string[]) => verifySigned(delivery, secrets, SLACK_SIGNATURE);
const verifyStripeSignature = (delivery: RawDelivery, secrets: string[]) => verifySigned(delivery, secrets, STRIPE_SIGNATURE);
const NOW = 1_764_000_000_000;
const SECRET = 'whsec_0123456789abcdef';
const OLD_SECRET = 'whsec_the_one_before';
const STANDARD_SECRET = `whsec_${randomBytes(24).toString('base64')}`;
const BODY = Buffer.from('{"id":"evt_1", "amount":  1.0}');
const HMAC = { header: 'x-hub-signature-256', prefix: 'sha256=' } as const;
const GOOD: Verdict = { ok: true };
const because = (cause: string) => ({ ok: false, cause });

const stripeClient = new Stripe('sk_test_x');

/** Each scheme with a way to sign and a way to verify; what holds for all is tried on all. */
const SCHEMES: {
  name: string;
  secret: string;
  header: string;
  sign: (secret: string, at: number, body?: Buffer) => DeliveryOptions;
  verify: (d: RawDelivery, secrets: string[]) => Verdict;
}[] = [
  {
    name: 'stripe',
    secret: SECRET,
    header: 'stripe-signature',
    sign: (secret, at, body = BODY) => ({ as: 'stripe', secret, at, body }),
    verify: verifyStripeSignature,
  },
  {
    name: 'slack',
    secret: SECRET,
    header: 'x-slack-signature',
    sign: (secret, at, body = BODY) => ({ as: 'slack', secret, at, body }),
    verify: verifySlackSignature,
  },
  {
    name: 'standard',
    secret: STANDARD_SECRET,
    header: 'webhook-signature',
    sign: (secret, at, body = BODY) => ({ as: 'standard', id: 'msg_1', secret, at, body }),
    verify: verifyStandardWebhook,
  },
  {
    name: 'hmac',
    secret: SECRET,
    header: HMAC.header,
    sign: (secret, at, body = BODY) => ({ as: 'hmac', scheme: HMAC, secret, at, body }),
    verify: (d, secrets) => verifyHmac(d, secrets, HMAC),
  },
];

describe.each(SCHEMES)('the scheme $name', ({ secret, header, sign, verify, name }) => {
  const delivery = (options: DeliveryOptions, changes: Partial<RawDelivery> = {}): RawDelivery => ({
    ...rawDelivery(signedDelivery(options), NOW),
    ...changes,
  });
  const withHeader = (value: string | string[] | undefined) => {
    const good = delivery(sign(secret, NOW));
    return { ...good, headers: { ...good.headers, [header]: value } };
  };

  it('takes what was signed with the secret, the old one too while it is rolled', () => {
    expect(verify(delivery(sign(secret, NOW)), [secret])).toEqual(GOOD);
    expect(verify(delivery(sign(secret, NOW)), [STANDARD_SECRET.replace('whsec_', 'whsec_AAAA'), secret])).toEqual(GOOD);
  });

  it('refuses another secret, and says that there is none', () => {
    expect(verify(delivery(sign(OLD_SECRET, NOW)), [secret])).toEqual(because('wrong_signature'));
    expect(verify(delivery(sign(secret, NOW)), [])).toEqual(because('no_secret'));
  });

  it('refuses a body that differs by one byte, or was written anew', () => {
    const changed = Buffer.from(BODY);
    changed.writeUInt8(changed.readUInt8(10) ^ 1, 10);
    expect(verify(delivery(sign(secret, NOW), { body: changed }), [secret])).toEqual(because('wrong_signature'));
    expect(verify(delivery(sign(secret, NOW), { body: Buffer.from(JSON.stringify(JSON.parse(BODY.toString()))) }), [secret])).toEqual(
      because('wrong_signature'),
    );
  });

  it('answers, and does not throw, for signatures of any length and kind', () => {
    const rubbish = [
      'x',
      'v1=',
      't=',
      'v0=abcd',
      'v1,AAAA',
      'sha256=',
      `v0=${'a'.repeat(63)}`,
      `t=${NOW / 1000},v1=${'a'.repeat(65)}`,
      'é'.repeat(64),
      ','.repeat(4_000),
      '='.repeat(64),
      '\u0000',
    ];
    for (const value of rubbish) expect(verify(withHeader(value), [secret]).ok).toBe(false);
    expect(verify(withHeader(undefined), [secret])).toEqual(because('no_signature'));
    expect(verify(withHeader(''), [secret])).toEqual(because('no_signature'));
    expect(verify(withHeader(['a', 'b']), [secret])).toEqual(because('malformed_signature'));
  });

  if (name !== 'hmac') {
    it('looks at the time on both sides: 300 s are fine, 301 s are not', () => {
      for (const at of [NOW - 300_000, NOW + 300_000]) expect(verify(delivery(sign(secret, at)), [secret])).toEqual(GOOD);
      for (const at of [NOW - 301_000, NOW + 301_000, NOW * 1_000])
        expect(verify(delivery(sign(secret, at)), [secret])).toEqual(because('clock_skew'));
      expect(verify(delivery(sign(secret, Number.NaN)), [secret])).toEqual(because('malformed_signature'));
    });
  }
});

it('looks at no more than twenty signatures of a header', () => {
  const seconds = NOW / 1_000;
  const good = signStripe(BODY, SECRET, NOW).split(',')[1];
  const header = (bad: number) => [`t=${seconds}`, ...Array.from({ length: bad }, () => `v1=${'0'.repeat(64)}`), good].join(',');
  const verdict = (bad: number) =>
    verifyStripeSignature({ headers: { 'stripe-signature': header(bad) }, body: BODY, receivedAt: NOW }, [SECRET]);
  expect(verdict(19)).toEqual(GOOD);
  expect(verdict(200)).toEqual(because('wrong_signature'));
});

it('takes a delivery that Stripe signed with both secrets, whichever of them is ours', () => {
  const delivery = rawDelivery(signedDelivery({ as: 'stripe', secret: [OLD_SECRET, SECRET], at: NOW, body: BODY }), NOW);
  for (const ours of [SECRET, OLD_SECRET]) expect(verifyStripeSignature(delivery, [ours])).toEqual(GOOD);
});

it('refuses a timestamp that stands twice', () => {
  const header = `t=1,${signStripe(BODY, SECRET, NOW)}`;
  expect(verifyStripeSignature({ headers: { 'stripe-signature': header }, body: BODY, receivedAt: NOW }, [SECRET])).toEqual(
    because('malformed_signature'),
  );
});

it('does not let an old signature pass under a new id (Standard Webhooks)', () => {
  const signed = rawDelivery(signedDelivery({ as: 'standard', id: 'msg_1', secret: STANDARD_SECRET, at: NOW, body: BODY }), NOW);
  expect(verifyStandardWebhook({ ...signed, headers: { ...signed.headers, 'webhook-id': 'msg_2' } }, [STANDARD_SECRET])).toEqual(
    because('wrong_signature'),
  );
  expect(verifyStandardWebhook({ ...signed, headers: { ...signed.headers, 'webhook-id': 'msg.1' } }, [STANDARD_SECRET])).toEqual(
    because('malformed_signature'),
  );
});

it.each([
  { header: 'x-sig', encoding: 'base64', algorithm: 'sha256' },
  { header: 'x-sig', encoding: 'hex', algorithm: 'sha1', prefix: 'sha1=' },
  { header: 'x-sig', encoding: 'hex', algorithm: 'sha512', timestamp: 'x-time', signed: '{timestamp}.{body}' },
] as const)('verifies a plain HMAC: %j', (scheme) => {
  const delivery = rawDelivery(signedDelivery({ as: 'hmac', secret: SECRET, scheme, at: NOW, body: BODY }), NOW);
  expect(verifyHmac(delivery, [OLD_SECRET, SECRET], scheme)).toEqual(GOOD);
  expect(verifyHmac({ ...delivery, body: Buffer.from('x') }, [SECRET], scheme)).toEqual(because('wrong_signature'));
});

describe("agrees with the providers' own code", () => {
  it("takes what Stripe's library signed, and Stripe's library takes what we signed", () => {
    const payload = BODY.toString();
    const seconds = Math.floor(Date.now() / 1_000);
    const header = stripeClient.webhooks.generateTestHeaderString({ payload, secret: SECRET, timestamp: seconds });
    expect(verifyStripeSignature({ headers: { 'stripe-signature': header }, body: BODY, receivedAt: Date.now() }, [SECRET])).toEqual(GOOD);
    expect(stripeClient.webhooks.constructEvent(BODY, signStripe(BODY, SECRET, Date.now()), SECRET).id).toBe('evt_1');
    expect(() => stripeClient.webhooks.constructEvent(BODY, signStripe(BODY, OLD_SECRET, Date.now()), SECRET)).toThrow(/signature/i);
  });

  it("takes what Slack's way of signing gives, and Bolt's verifier takes what we signed", () => {
    const bolt = (headers: Record<string, string>) =>
      verifySlackRequest({
        signingSecret: SECRET,
        body: BODY.toString(),
        headers: {
          'x-slack-signature': headers['x-slack-signature'] ?? '',
          'x-slack-request-timestamp': Number(headers['x-slack-request-timestamp']),
        },
      });
    const ours = signSlack(BODY, SECRET, Date.now());
    expect(() => bolt(ours)).not.toThrow();
    expect(() => bolt(signSlack(BODY, OLD_SECRET, Date.now()))).toThrow();
    // the other way: whatever Bolt takes we take, whatever it refuses we refuse
    for (const secret of [SECRET, OLD_SECRET]) {
      const seconds = String(Math.floor(Date.now() / 1_000));
      const headers = {
        'x-slack-request-timestamp': seconds,
        'x-slack-signature': `v0=${createHmac('sha256', secret).update(`v0:${seconds}:${BODY.toString()}`).digest('hex')}`,
      };
      let taken = true;
      try {
        bolt(headers);
      } catch {
        taken = false;
      }
      expect(verifySlackSignature({ headers, body: BODY, receivedAt: Date.now() }, [SECRET]).ok).toBe(taken);
    }
  });
});

describe('a channel of Google', () => {
  const names = { channelId: 'x-goog-channel-id', token: 'x-goog-channel-token', resourceId: 'x-goog-resource-id' };
  const known = { tokenHash: hashChannelToken('secret-token'), remoteId: 'res_1', connectionId: 'c1' };
  const find = (id: string) => Promise.resolve(id === 'ch_1' ? known : undefined);
  const verdict = async (changes: Partial<{ channelId: string; token: string; resourceId: string }>) => {
    const options = { as: 'google-channel', channelId: 'ch_1', token: 'secret-token', resourceId: 'res_1', ...changes } as const;
    return (await verifyChannelToken(rawDelivery(signedDelivery(options), NOW), names, find)).verdict;
  };

  it('is known by its id, its token and what it watches', async () => {
    expect(await verdict({})).toEqual(GOOD);
    expect(await verdict({ channelId: 'ch_2' })).toEqual(because('unknown_channel'));
    expect(await verdict({ token: 'secret-tokem' })).toEqual(because('wrong_token'));
    expect(await verdict({ token: 's' })).toEqual(because('wrong_token'));
    expect(await verdict({ token: '' })).toEqual(because('no_signature'));
    expect(await verdict({ resourceId: 'res_2' })).toEqual(because('unknown_channel'));
  });
});

describe('a push of Pub/Sub', () => {
  const claims = { audience: 'https://app.example/webhooks/google', email: 'push@project.iam.gserviceaccount.com', at: NOW };
  let issuer: PubsubIssuer;
  let verifier: JwksVerifier;
  beforeAll(async () => {
    issuer = await PubsubIssuer.create();
    verifier = new JwksVerifier(pushToken(claims), issuer.keys);
  });
  const verdict = (token: string) => verifier.verify(rawDelivery(signedDelivery({ as: 'pubsub', token, body: {} }), NOW));

  it('is taken with a token of Google for this address and this account', async () => {
    expect(await verdict(await issuer.token(claims))).toEqual(GOOD);
    expect(await verdict(await issuer.token({ ...claims, issuer: 'accounts.google.com' }))).toEqual(GOOD);
  });

  it('is refused for another audience, account, issuer, time or key', async () => {
    expect(await verdict(await issuer.token({ ...claims, audience: 'https://other.example' }))).toEqual(because('wrong_token'));
    expect(await verdict(await issuer.token({ ...claims, email: 'other@x' }))).toEqual(because('wrong_token'));
    expect(await verdict(await issuer.token({ ...claims, emailVerified: false }))).toEqual(because('wrong_token'));
    expect(await verdict(await issuer.token({ ...claims, issuer: 'https://evil.example' }))).toEqual(because('wrong_token'));
    expect(await verdict(await issuer.token({ ...claims, at: NOW - 3 * 3_600_000 }))).toEqual(because('clock_skew'));
    expect(await verdict(await (await PubsubIssuer.create()).token(claims))).toEqual(because('wrong_signature'));
  });

  it('is refused without a signature, however the token says so', async () => {
    const [, payload] = (await issuer.token(claims)).split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const hs = Buffer.from('{"alg":"HS256","kid":"test"}').toString('base64url');
    expect(await verdict(`${none}.${payload}.`)).toEqual(because('malformed_signature'));
    expect((await verdict(`${hs}.${payload}.AAAA`)).ok).toBe(false);
    expect(await verdict('not-a-token')).toEqual(because('malformed_signature'));
    expect(await new JwksVerifier(pushToken({})).verify(rawDelivery(signedDelivery({ as: 'pubsub', token: 'a.b.c' }), NOW))).toEqual(
      because('no_secret'),
    );
  });

  it('is worth sending again where the keys cannot be fetched', async () => {
    const lost = new JwksVerifier(pushToken({ ...claims, jwksUrl: 'http://127.0.0.1:9/keys' }));
    await expect(lost.verify(rawDelivery(signedDelivery({ as: 'pubsub', token: await issuer.token(claims) }), NOW))).rejects.toMatchObject({
      code: 'provider_unavailable',
      retryAfterMs: 5_000,
    });
  });
});
