import { providerFixture, resourceOf, walked, type ProviderFixture } from '../../../test/support/provider-fixture';
import { IntegrationError } from '../../errors';
import { GovernedHttp, type ConnectionRef, type Provider, type RawDelivery } from '../../integrations';
import { SlackAuthService } from './slack-auth.service';
import { SlackChannelHandler } from './slack-records.handlers';
import { SlackRevocationHandler } from './slack-revocation.handler';
import { SlackSyncService } from './slack-sync.service';
import { SlackWebhooksService } from './slack-webhooks.service';
import { readSlackFault } from './slack.faults';
import { slackProvider } from './slack.module';
import { escapeSlackText, postMessageBody, SlackService } from './slack.service';

let fixture: ProviderFixture;
let provider: Provider;
beforeAll(async () => {
  fixture = await providerFixture([
    SlackAuthService,
    SlackSyncService,
    SlackWebhooksService,
    SlackService,
    SlackChannelHandler,
    SlackRevocationHandler,
  ]);
  const { module, settings } = fixture;
  provider = slackProvider(settings, {
    auth: module.get(SlackAuthService),
    sync: module.get(SlackSyncService),
    webhooks: module.get(SlackWebhooksService),
  });
  fixture.register(provider);
});
afterAll(() => fixture.close());
beforeEach(() => {
  fixture.sandbox.control.clearFaults();
  fixture.sandbox.control.clearLedger();
});

const body = (event: object, envelope: object = {}): RawDelivery => ({
  headers: {},
  receivedAt: Date.now(),
  body: Buffer.from(JSON.stringify({ type: 'event_callback', event_id: 'Ev1', team_id: 'T1', api_app_id: 'A_OURS', event, ...envelope })),
});

describe('signing in', () => {
  it('reads a bot and a user token, each with its own end', () => {
    const grants = provider.auth.parseTokenResponse(
      {
        ok: true,
        access_token: 'xoxb-1',
        token_type: 'bot',
        scope: 'chat:write,users:read',
        refresh_token: 'r1',
        expires_in: 43200,
        team: { id: 'T1', name: 'Acme' },
        authed_user: { id: 'U1', access_token: 'xoxp-1', refresh_token: 'r2', expires_in: 60, scope: 'search:read' },
      },
      { step: 'exchange' },
    );
    expect(grants).toEqual([
      { kind: 'bot', accessToken: 'xoxb-1', refreshToken: 'r1', expiresInS: 43200, scopes: ['chat:write', 'users:read'] },
      { kind: 'user', accessToken: 'xoxp-1', refreshToken: 'r2', expiresInS: 60, scopes: ['search:read'] },
    ]);
  });

  it('takes an installation that gave a user token only', () => {
    const [grant, ...more] = provider.auth.parseTokenResponse(
      { ok: true, team: { id: 'T1' }, authed_user: { id: 'U1', access_token: 'xoxp-1', scope: 'search:read' } },
      { step: 'exchange' },
    );
    expect(grant?.kind).toBe('user');
    expect(more).toEqual([]);
  });

  it('keeps a refreshed user token apart from the bot, though it comes where the bot stood', () => {
    const [grant] = provider.auth.parseTokenResponse(
      { ok: true, access_token: 'xoxp-2', token_type: 'user', refresh_token: 'r3', expires_in: 43200, authed_user: { id: 'U1' } },
      { step: 'refresh', kind: 'user' },
    );
    expect(grant).toMatchObject({ kind: 'user', accessToken: 'xoxp-2', refreshToken: 'r3' });
  });

  it('says no with Slack’s code where the answer is a 200 that says no', () => {
    expect(() => provider.auth.parseTokenResponse({ ok: false, error: 'invalid_code' }, { step: 'exchange' })).toThrow(
      expect.objectContaining({ code: 'connect_failed', providerCode: 'invalid_code' }),
    );
  });

  it('names the workspace, and the organization where the whole of it was installed', async () => {
    const connection = await fixture.connect('slack');
    expect(connection).toMatchObject({ accountId: 'T_ACME', metadata: { teamId: 'T_ACME', kinds: ['bot'] } });
    const grants = [{ kind: 'bot', accessToken: 'x', scopes: [] }];
    const answer = { ok: true, team: 'Acme', team_id: 'T1', user_id: 'U1', enterprise_id: 'E1' };
    const identity = await provider.auth.identify({
      fetch: () => Promise.resolve(Response.json(answer)),
      grants,
      tokenBody: { ok: true, access_token: 'x', team: null, enterprise: { id: 'E1', name: 'Acme Corp' }, is_enterprise_install: true },
    });
    expect(identity).toMatchObject({ accountId: 'E1', accountName: 'Acme Corp', routingKey: 'E1' });
  });

  it('uninstalls the app on disconnect, and takes an app that is gone for ended', async () => {
    const connection = await fixture.connect('slack', 'T_LEAVING');
    const fetch = fixture.syncContext(connection).fetch;
    const tokens = [{ kind: 'bot', accessToken: 'x', refreshToken: 'y' }];
    expect(await provider.auth.revoke?.({ fetch, connection, tokens })).toBe(true);
    expect(fixture.sandbox.control.ledger({ endpoint: 'apps.uninstall' })).toHaveLength(1);
    expect(await provider.auth.revoke?.({ fetch, connection, tokens })).toBe(true);
  });
});

describe('faults', () => {
  const read = (error: string, status = 200) => readSlackFault({ status, headers: new Headers(), json: { ok: false, error } });

  it.each([
    ['ratelimited', { code: 'provider_rate_limited', retryable: true }],
    ['token_expired', { tokenExpired: true }],
    ['token_revoked', { code: 'needs_reauth', grantEnded: true }],
    ['channel_not_found', { code: 'provider_not_found', retryable: false }],
    ['internal_error', { code: 'provider_unavailable', notExecuted: false }],
    ['a_code_of_tomorrow', { code: 'provider_rejected', retryable: false, providerCode: 'a_code_of_tomorrow' }],
    ['toString', { code: 'provider_rejected', providerCode: undefined }],
  ])('%s', (code, expected) => {
    expect(read(code)).toMatchObject(expected);
  });

  it('is none where Slack says ok, or says nothing of Slack', () => {
    for (const json of [{ ok: true }, null, [], 'x', undefined])
      expect(readSlackFault({ status: 200, headers: new Headers(), json })).toBeUndefined();
  });

  it('never passes a page off as a code', () => {
    expect(read('<html>xoxb-secret</html>')).toMatchObject({ providerCode: undefined });
  });
});

describe('sync', () => {
  let connection: ConnectionRef;
  beforeAll(async () => {
    connection = await fixture.connect('slack', 'T_SYNC');
    fixture.sandbox.control.seed({ provider: 'slack', account: 'T_SYNC', resource: 'channels', count: 450 });
  });
  const full = (name: string, checkpoint?: unknown) =>
    walked(resourceOf(provider, name).full(fixture.syncContext(connection, '', { checkpoint })));

  it('walks every page of channels, and goes on from a checkpoint', async () => {
    const all = await full('channels');
    expect(all.records.size).toBeGreaterThanOrEqual(450);
    expect(all.pages.length).toBeGreaterThan(2);
    const rest = await full('channels', all.pages[0]?.checkpoint);
    expect(rest.records.size).toBe(all.records.size - (all.pages[0]?.records.length ?? 0));
  });

  it('has private channels in a partition of their own, where the permission is there', async () => {
    const channels = resourceOf(provider, 'channels');
    const partitions = (scopes: string[]) => channels.partitions?.(fixture.syncContext({ ...connection, metadata: { scopes } }));
    expect(await partitions(['channels:read'])).toMatchObject({ names: [''], complete: false });
    expect(await partitions(['channels:read', 'groups:read'])).toEqual({ names: ['private', ''], complete: true });
    expect(connection.metadata['scopes']).toContain('groups:read');
    const { records } = await walked(channels.full(fixture.syncContext(connection, 'private')));
    expect([...records.values()]).toEqual([expect.objectContaining({ is_private: true }), expect.objectContaining({ is_private: true })]);
  });

  it('starts again where Slack forgot the cursor', async () => {
    const all = await full('channels', { cursor: Buffer.from('after:C_GONE').toString('base64') });
    expect(all.records.size).toBeGreaterThanOrEqual(450);
  });

  it('does not take an answer without its list for an empty workspace', async () => {
    fixture.sandbox.control.addFault({ kind: 'status', provider: 'slack', endpoint: 'users.list', status: 200, body: { ok: true } });
    await expect(full('users')).rejects.toMatchObject({ code: 'provider_bad_answer' });
  });
});

describe('events', () => {
  it('echoes the challenge', () => {
    const delivery = { headers: {}, receivedAt: 0, body: Buffer.from(JSON.stringify({ type: 'url_verification', challenge: 'abc' })) };
    expect(provider.webhooks?.parse(delivery)).toEqual({ events: [], reply: { body: 'abc', contentType: 'text/plain; charset=utf-8' } });
  });

  it('routes to the installation that it was sent for, keyed by the message', () => {
    const { events } = provider.webhooks!.parse(
      body(
        { type: 'message', channel: 'C1', ts: '1700000000.000100', event_ts: '1700000000.000100', text: 'hi' },
        { team_id: 'T_OTHER', authorizations: [{ team_id: 'T_OURS', enterprise_id: null, is_enterprise_install: false }] },
      ),
    );
    expect(events).toEqual([
      {
        eventId: 'Ev1',
        type: 'message',
        routingKey: 'T_OURS',
        objectKey: 'message/C1/1700000000.000100',
        objectVersion: 1_700_000_000_000_100,
      },
    ]);
  });

  it('keys an edit and a deletion by the message that they are about', () => {
    for (const event of [
      { type: 'message', subtype: 'message_changed', channel: 'C1', ts: '5.5', event_ts: '5.5', message: { ts: '1.1' } },
      { type: 'message', subtype: 'message_deleted', channel: 'C1', ts: '6.6', event_ts: '6.6', deleted_ts: '1.1' },
    ]) {
      expect(provider.webhooks!.parse(body(event)).events[0]?.objectKey).toBe('message/C1/1.1');
    }
  });

  it('does not hear itself', () => {
    expect(provider.webhooks!.parse(body({ type: 'message', channel: 'C1', ts: '1.1', bot_id: 'B1', app_id: 'A_OURS' })).events).toEqual(
      [],
    );
    expect(
      provider.webhooks!.parse(body({ type: 'message', channel: 'C1', ts: '1.1', bot_id: 'B2', app_id: 'A_OTHER' })).events,
    ).toHaveLength(1);
  });

  it('refuses what is no event', () => {
    for (const text of ['', 'null', '[]', '{"type":"event_callback"}', '{"type":"other"}']) {
      expect(() => provider.webhooks!.parse({ headers: {}, receivedAt: 0, body: Buffer.from(text) })).toThrow(IntegrationError);
    }
  });

  it('asks Slack before it believes that an installation has ended', async () => {
    const connection = await fixture.connect('slack', 'T_AGAIN');
    const handler = fixture.module.get(SlackRevocationHandler);
    const { fetch, signal } = fixture.syncContext(connection);
    const event = { type: 'app_uninstalled', payload: { event: { type: 'app_uninstalled' } } } as never;
    expect(await handler.prepare(event, { connection, fetch, signal })).toBe(false);
    fixture.sandbox.control.revokeTokens('slack', 'T_AGAIN');
    expect(await handler.prepare(event, { connection, fetch, signal })).toBe(true);
  });
});

describe('messages', () => {
  it('escapes what would call a whole channel', () => {
    expect(escapeSlackText('a < b & <!channel> <@U1>')).toBe('a &lt; b &amp; &lt;!channel&gt; &lt;@U1&gt;');
  });

  it('needs something to say', () => {
    expect(postMessageBody.safeParse({ channel: 'C1' }).success).toBe(false);
    expect(postMessageBody.safeParse({ channel: 'C1', text: ' ', blocks: [] }).success).toBe(false);
    expect(postMessageBody.safeParse({ channel: 'C1', text: 'x', username: 'boss' }).success).toBe(false);
    expect(postMessageBody.safeParse({ channel: 'C1', blocks: [{ type: 'divider' }] }).success).toBe(true);
  });

  it('lists private channels too where the permission is there, and only there', async () => {
    const connection = await fixture.connect('slack', 'T_PRIVATE');
    const slack = new SlackService(fixture.settings, fixture.module.get(GovernedHttp, { strict: false }));
    const kinds = async (metadata: ConnectionRef['metadata']) => {
      const { channels } = await slack.listChannels({ ...connection, metadata }, { limit: 100 });
      return [...new Set(channels.map(({ isPrivate }) => isPrivate))].sort();
    };
    expect(await kinds(connection.metadata)).toEqual([false, true]);
    expect(await kinds({ ...connection.metadata, scopes: ['channels:read'] })).toEqual([false]);
  });

  it('posts once, as written, and tells where it may not', async () => {
    const connection = await fixture.connect('slack', 'T_POST');
    const slack = new SlackService(fixture.settings, fixture.module.get(GovernedHttp, { strict: false }));
    const { channels } = await slack.listChannels(connection, { limit: 100 });
    const member = channels.find((channel) => channel.isMember)!;
    const sent = await slack.postMessage(connection, { channel: member.id, text: 'Hello <!channel>' });
    expect(sent.channel).toBe(member.id);
    const state = JSON.stringify(fixture.sandbox.control.state().slack);
    expect(state).toContain('Hello &lt;!channel&gt;');
    await expect(slack.postMessage(connection, { channel: 'C_NOWHERE', text: 'x' })).rejects.toMatchObject({
      code: 'provider_not_found',
      providerCode: 'channel_not_found',
    });
    await expect(slack.listChannels(connection, { limit: 10, cursor: 'bm9uc2Vuc2U=' })).rejects.toMatchObject({ code: 'invalid_cursor' });
  });
});
