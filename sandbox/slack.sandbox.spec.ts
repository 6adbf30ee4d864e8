import { createHmac } from 'node:crypto';
import { WebClient } from '@slack/web-api';
import { type Sandbox, startSandbox } from '.';
import { consent, pkce, postForm, REDIRECT_URI } from './testing/consent';
import { type Receiver, startReceiver } from './testing/receiver';

const SCOPES = 'chat:write,channels:read,groups:read,channels:history,users:read';

describe('the pretend Slack', () => {
  let sandbox: Sandbox;
  let receiver: Receiver;
  let nowMs: number;
  let env: Record<string, string>;

  beforeEach(async () => {
    nowMs = Date.now();
    receiver = await startReceiver();
    sandbox = await startSandbox({ now: () => nowMs, webhookRetryMs: [1, 1, 1] });
    env = sandbox.env();
  });

  afterEach(async () => {
    await sandbox.stop();
    await receiver.stop();
  });

  const client = (token?: string): WebClient =>
    new WebClient(token, {
      slackApiUrl: env['SLACK_API_BASE_URL'] ?? '',
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      allowAbsoluteUrls: false,
    });
  const credentials = (): Record<string, string> => ({
    client_id: env['SLACK_CLIENT_ID'] ?? '',
    client_secret: env['SLACK_CLIENT_SECRET'] ?? '',
  });
  const code = async (fields: Record<string, string> = {}): Promise<string> =>
    (await consent(env['SLACK_AUTHORIZE_URL'] ?? '', { client_id: env['SLACK_CLIENT_ID'] ?? '', scope: SCOPES, ...fields })).get('code') ??
    '';
  const access = async (fields: Record<string, string>): Promise<Record<string, unknown>> =>
    (await postForm(env['SLACK_TOKEN_URL'] ?? '', { ...credentials(), ...fields })).body;
  const install = async (fields: Record<string, string> = {}): Promise<Record<string, unknown>> =>
    access({ code: await code(fields), redirect_uri: REDIRECT_URI });
  const failure = async (call: Promise<unknown>): Promise<string> => {
    try {
      await call;
      return 'no failure';
    } catch (error) {
      return (error as { data?: { error?: string } }).data?.error ?? String(error);
    }
  };

  it('exchanges a code for a rotating bot token that the SDK can use', async () => {
    const body = await install({ team: 'T_BLUE' });
    expect(body).toMatchObject({
      ok: true,
      token_type: 'bot',
      expires_in: 43_200,
      team: { id: 'T_BLUE', name: 'Blue' },
      is_enterprise_install: false,
    });
    expect(body['access_token']).toMatch(/^xoxe\.xoxb-/);
    const test = await client(String(body['access_token'])).auth.test();
    expect(test).toMatchObject({ ok: true, team_id: 'T_BLUE', user_id: body['bot_user_id'] });
  });

  it('gives bot and user tokens their own refresh tokens, and refreshes the user token at the top level', async () => {
    const body = await install({ user_scope: 'search:read' });
    const user = body['authed_user'] as Record<string, string>;
    expect(user['access_token']).toMatch(/^xoxe\.xoxp-/);
    const refreshed = await access({ grant_type: 'refresh_token', refresh_token: user['refresh_token'] ?? '' });
    expect(refreshed).toMatchObject({ ok: true, token_type: 'user', id: user['id'] });
    expect(refreshed['authed_user']).toBeUndefined();
  });

  it('sends only authed_user when only user scopes were asked for', async () => {
    const body = await install({ scope: '', user_scope: 'search:read' });
    expect(body['ok']).toBe(true);
    expect(body['access_token']).toBeUndefined();
    expect((body['authed_user'] as Record<string, string>)['access_token']).toMatch(/^xoxe\.xoxp-/);
  });

  it('refuses wrong codes, secrets, redirects and verifiers with HTTP 200 and ok: false', async () => {
    const { challenge } = pkce();
    expect(await access({ code: 'nope', redirect_uri: REDIRECT_URI })).toEqual({ ok: false, error: 'invalid_code' });
    expect(await access({ code: await code(), redirect_uri: 'http://127.0.0.1/other' })).toEqual({ ok: false, error: 'bad_redirect_uri' });
    expect(await access({ code: await code(), redirect_uri: REDIRECT_URI, client_secret: 'wrong' })).toEqual({
      ok: false,
      error: 'bad_client_secret',
    });
    const challenged = await code({ code_challenge: challenge, code_challenge_method: 'S256' });
    expect(await access({ code: challenged, redirect_uri: REDIRECT_URI, code_verifier: pkce().verifier })).toEqual({
      ok: false,
      error: 'invalid_code_verifier',
    });
    const used = await code();
    expect((await access({ code: used, redirect_uri: REDIRECT_URI }))['ok']).toBe(true);
    expect(await access({ code: used, redirect_uri: REDIRECT_URI })).toEqual({ ok: false, error: 'code_already_used' });
  });

  it('refuses unknown, expired and revoked tokens, each in its own word', async () => {
    expect(await failure(client('xoxb-unknown').auth.test())).toBe('invalid_auth');
    expect(await failure(client().auth.test())).toBe('not_authed');
    const body = await install();
    const token = String(body['access_token']);
    nowMs += 43_201_000;
    expect(await failure(client(token).auth.test())).toBe('token_expired');
    const renewed = await access({ grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) });
    sandbox.control.revokeTokens('slack');
    expect(await failure(client(String(renewed['access_token'])).auth.test())).toBe('token_revoked');
  });

  it('takes a refresh token once and keeps two access tokens alive', async () => {
    const first = await install();
    const second = await access({ grant_type: 'refresh_token', refresh_token: String(first['refresh_token']) });
    expect(await access({ grant_type: 'refresh_token', refresh_token: String(first['refresh_token']) })).toEqual({
      ok: false,
      error: 'invalid_refresh_token',
    });
    expect((await client(String(first['access_token'])).auth.test()).ok).toBe(true);
    const third = await access({ grant_type: 'refresh_token', refresh_token: String(second['refresh_token']) });
    expect(await failure(client(String(first['access_token'])).auth.test())).toBe('token_revoked');
    expect((await client(String(second['access_token'])).auth.test()).ok).toBe(true);
    expect((await client(String(third['access_token'])).auth.test()).ok).toBe(true);
  });

  it('pages channels with cursors whose pages may be short', async () => {
    const web = client(String((await install())['access_token']));
    const sizes: number[] = [];
    const ids = new Set<string>();
    for (let cursor = ''; ;) {
      const page = await web.conversations.list({ limit: 7, exclude_archived: true, ...(cursor ? { cursor } : {}) });
      sizes.push(page.channels?.length ?? 0);
      for (const channel of page.channels ?? []) ids.add(channel.id ?? '');
      cursor = page.response_metadata?.next_cursor ?? '';
      if (!cursor) break;
    }
    expect(ids.size).toBe(21);
    expect(sizes).toHaveLength(4);
    expect(Math.min(...sizes)).toBeLessThan(4);
    expect(await failure(web.conversations.list({ cursor: 'bogus' }))).toBe('invalid_cursor');
  });

  it('posts messages into threads, keeps them in the history and tells the app', async () => {
    sandbox.setWebhookTarget(receiver.origin);
    const web = client(String((await install())['access_token']));
    const channel = (await web.conversations.list()).channels?.[0]?.id ?? '';
    const root = await web.chat.postMessage({ channel, text: 'Hello', metadata: { event_type: 'op', event_payload: { op_id: '1' } } });
    await web.chat.postMessage({ channel: '#general', text: 'Again', thread_ts: root.ts ?? '', blocks: [{ type: 'divider' }] });
    const history = await web.conversations.history({ channel, include_all_metadata: true });
    expect(history.messages?.map((message) => message.text)).toEqual(['Hello']);
    const thread = await web.conversations.replies({ channel, ts: root.ts ?? '' });
    expect(thread.messages?.map((message) => message.text)).toEqual(['Hello', 'Again']);
    expect(history.messages?.[0]?.metadata).toMatchObject({ event_payload: { op_id: '1' } });
    expect(await failure(web.chat.postMessage({ channel: 'C404', text: 'x' }))).toBe('channel_not_found');
    const empty = await postForm(
      `${env['SLACK_API_BASE_URL'] ?? ''}chat.postMessage`,
      { channel },
      { authorization: `Bearer ${web.token ?? ''}` },
    );
    expect(empty).toEqual({ status: 200, body: { ok: false, error: 'no_text' } });
    expect(await sandbox.control.settle()).toBe(true);
    expect(receiver.received.map(({ body }) => (JSON.parse(body) as { event: { type: string } }).event.type)).toEqual([
      'message',
      'message',
    ]);
  });

  it('sends commands and interactions as signed forms', async () => {
    sandbox.setWebhookTarget(receiver.origin);
    await sandbox.control.deliver({ provider: 'slack', type: '/hello', payload: { text: 'you' } });
    await sandbox.control.deliver({ provider: 'slack', type: 'block_actions', payload: { actions: [{ action_id: 'a1' }] } });
    const [command, press] = receiver.received.map(({ body }) => new URLSearchParams(body));
    expect(command?.get('command')).toBe('/hello');
    expect(command?.get('text')).toBe('you');
    expect(JSON.parse(press?.get('payload') ?? '')).toMatchObject({ type: 'block_actions', actions: [{ action_id: 'a1' }] });
    for (const { headers } of receiver.received) {
      expect(headers['content-type']).toBe('application/x-www-form-urlencoded');
      expect(headers['x-slack-signature']).toMatch(/^v0=/);
    }
  });

  it('names the scope that is missing', async () => {
    const web = client(String((await install({ scope: 'channels:read' }))['access_token']));
    await expect(web.chat.postMessage({ channel: 'C1', text: 'x' })).rejects.toMatchObject({
      data: { error: 'missing_scope', needed: 'chat:write', provided: 'channels:read' },
    });
  });

  it('signs events, and repeats them with retry headers until they are taken', async () => {
    await install();
    sandbox.setWebhookTarget(receiver.origin);
    receiver.answers.push(500, 503);
    sandbox.control.change('slack', 'channels', { name: 'fresh' });
    expect(await sandbox.control.settle()).toBe(true);
    expect(receiver.received).toHaveLength(3);
    expect(receiver.received.map(({ headers }) => headers['x-slack-retry-num'])).toEqual([undefined, '1', '2']);
    const ids = new Set(receiver.received.map(({ body }) => (JSON.parse(body) as { event_id: string }).event_id));
    expect(ids.size).toBe(1);
    for (const { headers, body } of receiver.received) {
      const base = `v0:${String(headers['x-slack-request-timestamp'])}:${body}`;
      expect(headers['x-slack-signature']).toBe(
        `v0=${createHmac('sha256', env['SLACK_SIGNING_SECRET'] ?? '')
          .update(base)
          .digest('hex')}`,
      );
    }
  });

  it('uninstalls: every token dies and both events are sent', async () => {
    const token = String((await install())['access_token']);
    sandbox.setWebhookTarget(receiver.origin);
    await client(token).apps.uninstall({ client_id: env['SLACK_CLIENT_ID'] ?? '', client_secret: env['SLACK_CLIENT_SECRET'] ?? '' });
    expect(await failure(client(token).auth.test())).toBe('token_revoked');
    expect(await sandbox.control.settle()).toBe(true);
    const types = receiver.received.map(({ body }) => (JSON.parse(body) as { event: { type: string } }).event.type);
    expect(types.sort()).toEqual(['app_uninstalled', 'tokens_revoked']);
  });
});
