import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { gmail, type gmail_v1 } from 'googleapis/build/src/apis/gmail';
import { type Sandbox, startSandbox } from '.';
import { googleReason } from './testing/google-reason';
import { type Receiver, startReceiver } from './testing/receiver';

const EMAIL = 'ada@blue.test';

describe('the pretend Gmail', () => {
  let sandbox: Sandbox;
  let receiver: Receiver;
  let env: Record<string, string>;
  let api: gmail_v1.Gmail;

  beforeEach(async () => {
    receiver = await startReceiver();
    sandbox = await startSandbox({ webhookRetryMs: [1, 1] });
    env = sandbox.env();
    const token = String(sandbox.control.mint({ provider: 'google', account: EMAIL })['access_token']);
    const headers = { authorization: `Bearer ${token}` };
    api = gmail({ version: 'v1', rootUrl: env['GOOGLE_API_BASE_URL'] ?? '', retry: false, fetchImplementation: fetch, headers });
  });

  afterEach(async () => {
    await sandbox.stop();
    await receiver.stop();
  });

  it('pages messages, newest first', async () => {
    const first = await api.users.messages.list({ userId: 'me', maxResults: 6 });
    const second = await api.users.messages.list({ userId: 'me', maxResults: 6, pageToken: first.data.nextPageToken ?? '' });
    const ids = [...(first.data.messages ?? []), ...(second.data.messages ?? [])].map(({ id }) => id);
    expect(new Set(ids).size).toBe(10);
    expect(second.data.nextPageToken).toBeUndefined();
    const dates = await Promise.all(
      [ids[0], ids[9]].map(async (id) =>
        Number((await api.users.messages.get({ userId: 'me', id: id ?? '', format: 'minimal' })).data.internalDate),
      ),
    );
    expect(dates[0]).toBeGreaterThan(dates[1] ?? 0);
  });

  it('sends mail, finds it by its Message-ID, and shows it in the history', async () => {
    const start = (await api.users.getProfile({ userId: 'me' })).data.historyId ?? '';
    const raw = [
      'From: ada@blue.test',
      'To: bob@blue.test',
      'Subject: =?UTF-8?B?R3LDvMOfZQ==?=',
      'Message-ID: <op-1@blue.test>',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'Sch=C3=B6n',
    ].join('\r\n');
    const sent = await api.users.messages.send({ userId: 'me', requestBody: { raw: Buffer.from(raw).toString('base64url') } });
    const found = await api.users.messages.list({ userId: 'me', q: 'rfc822msgid:op-1@blue.test' });
    expect(found.data.messages).toEqual([{ id: sent.data.id, threadId: sent.data.threadId }]);
    const history = await api.users.history.list({ userId: 'me', startHistoryId: start });
    expect(history.data.history?.[0]?.messagesAdded?.[0]?.message?.id).toBe(sent.data.id);
    const quiet = await api.users.history.list({ userId: 'me', startHistoryId: history.data.historyId ?? '' });
    expect('history' in quiet.data).toBe(false);
    const state = sandbox.control.state().google[EMAIL] as { emailsSent: { subject: string; text: string; to: string }[] };
    expect(state.emailsSent).toMatchObject([{ subject: 'Grüße', text: 'Schön', to: 'bob@blue.test' }]);
    sandbox.control.expireCursors(EMAIL);
    expect(await googleReason(api.users.history.list({ userId: 'me', startHistoryId: start }))).toBe('404 notFound');
  });

  it('pushes mail changes with a token that its own keys verify', async () => {
    sandbox.setWebhookTarget(receiver.origin);
    await api.users.watch({ userId: 'me', requestBody: { topicName: 'projects/p/topics/t' } });
    sandbox.control.change('google', 'messages', { account: EMAIL, subject: 'Hi' });
    expect(await sandbox.control.settle()).toBe(true);
    expect(receiver.received).toHaveLength(2);
    const jwks = createLocalJWKSet((await (await fetch(env['GOOGLE_PUBSUB_JWKS_URL'] ?? '')).json()) as JSONWebKeySet);
    const options = { issuer: env['GOOGLE_PUBSUB_ISSUER'] ?? '', audience: env['GOOGLE_PUBSUB_AUDIENCE'] ?? '' };
    for (const { headers, body } of receiver.received) {
      const { payload } = await jwtVerify(String(headers.authorization).slice(7), jwks, options);
      expect(payload).toMatchObject({ email: env['GOOGLE_PUBSUB_EMAIL'], email_verified: true });
      const { message } = JSON.parse(body) as { message: { data: string } };
      expect(JSON.parse(Buffer.from(message.data, 'base64').toString())).toMatchObject({ emailAddress: EMAIL });
    }
    receiver.received.length = 0;
    await sandbox.control.deliver({ provider: 'google', type: 'gmail.push', account: EMAIL, forge: 'bad-signature' });
    await expect(jwtVerify(String(receiver.received[0]?.headers.authorization).slice(7), jwks, options)).rejects.toThrow();
  });
});
