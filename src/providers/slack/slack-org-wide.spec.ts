import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { IntegrationError } from '../../errors';
import type { Settings } from '../../config/env';
import type { ConnectionRef, GovernedHttp, SyncContext, SyncPage } from '../../integrations';
import { SlackAuthService } from './slack-auth.service';
import { SlackSyncService } from './slack-sync.service';
import { SlackService } from './slack.service';

type Fields = URLSearchParams;

const TEAMS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  T1: [['C1', 'C2'], ['C3']],
  // C3 is shared by both.
  T2: [['C3'], ['C4']],
};

/** As Slack answers an installation of a whole organization: lists want to know of which workspace. */
const METHODS: Readonly<Record<string, (fields: Fields) => object>> = {
  'auth.test': () => ({ ok: true, team_id: 'E1', user_id: 'U1', enterprise_id: 'E1' }),
  'auth.teams.list': (fields) =>
    fields.get('cursor') === 'more'
      ? { ok: true, teams: [{ id: 'T1', name: 'One' }], response_metadata: { next_cursor: '' } }
      : { ok: true, teams: [{ id: 'T2', name: 'Two' }], response_metadata: { next_cursor: 'more' } },
  'conversations.list': (fields) => {
    const pages = TEAMS[fields.get('team_id') ?? ''];
    if (!pages) return { ok: false, error: 'missing_argument' };
    const at = Number(fields.get('cursor') ?? 0);
    const more = at + 1 < pages.length ? String(at + 1) : '';
    return { ok: true, channels: pages[at]!.map((id) => ({ id })), response_metadata: { next_cursor: more } };
  },
  'users.list': (fields) =>
    fields.has('team_id') ? { ok: true, members: [{ id: `U_${fields.get('team_id')}` }] } : { ok: false, error: 'missing_argument' },
};

/** As the chain of calls names Slack's refusals. */
const governed: typeof fetch = async (...asked) => {
  const answer = await fetch(...asked);
  const { ok, error } = (await answer.clone().json()) as { ok: boolean; error?: string };
  if (ok) return answer;
  throw new IntegrationError(error === 'internal_error' ? 'provider_unavailable' : 'organization_forbids', { providerCode: error });
};

describe('an installation of a whole Slack organization', () => {
  /** Refused, with this code. */
  const refused = new Map<string, string>();
  let server: Server;
  let settings: Settings;
  const asked: string[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const method = request.url!.slice('/api/'.length);
        const fields = new URLSearchParams(Buffer.concat(chunks).toString());
        asked.push([method, fields.get('team_id')].filter(Boolean).join(' '));
        response.setHeader('content-type', 'application/json');
        const error = refused.get([method, fields.get('team_id')].join(' '));
        response.end(JSON.stringify(error ? { ok: false, error } : METHODS[method]!(fields)));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const apiBaseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`;
    settings = { providers: { slack: { webhookSecrets: [], apiBaseUrl } } } as unknown as Settings;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  beforeEach(() => {
    asked.splice(0);
    refused.clear();
  });

  const tokenBody = {
    ok: true,
    access_token: 'xoxb-1',
    token_type: 'bot',
    scope: 'channels:read,users:read',
    team: null,
    enterprise: { id: 'E1', name: 'Acme' },
    is_enterprise_install: true,
    authed_user: { id: 'U1' },
  };

  async function connection(): Promise<ConnectionRef> {
    const auth = new SlackAuthService(settings);
    const grants = auth.parseTokenResponse(tokenBody, { step: 'exchange' });
    const account = await auth.identify({ fetch, grants, tokenBody });
    expect(account).toMatchObject({ accountId: 'E1', grantKey: 'E1', routingKey: 'E1', metadata: { teamId: null, isOrgWide: true } });
    return { id: 'c', tenant: 't', userId: 'u', provider: 'slack', accountId: 'E1', authType: 'oauth2', metadata: account.metadata ?? {} };
  }

  async function walk(
    resource: string,
    checkpoint?: unknown,
  ): Promise<{ ids: string[]; pages: SyncPage[]; complete: boolean; why?: string }> {
    const { full } = new SlackSyncService(settings).resources.find(({ name }) => name === resource)!;
    const signal = new AbortController().signal;
    const context: SyncContext = { connection: await connection(), fetch: governed, partition: '', checkpoint, signal, now: Date.now };
    const pages: SyncPage[] = [];
    const walked = full(context);
    for (let step = await walked.next(); ; step = await walked.next()) {
      if (step.done) return { ids: pages.flatMap(({ records }) => records.map(({ id }) => id)), pages, ...step.value };
      pages.push(step.value);
    }
  }

  it('is listed workspace by workspace, and what they share once', async () => {
    expect(await walk('channels')).toMatchObject({ ids: ['C1', 'C2', 'C3', 'C4'], complete: true });
    expect(asked.filter((call) => call.startsWith('conversations'))).toEqual([
      'conversations.list T1',
      'conversations.list T1',
      'conversations.list T2',
      'conversations.list T2',
    ]);
    expect(await walk('users')).toMatchObject({ ids: ['U_T1', 'U_T2'], complete: true });
  });

  it('goes on with the other workspaces where one may not be read, and takes nothing for gone', async () => {
    refused.set('conversations.list T1', 'team_access_not_granted');
    expect(await walk('channels')).toMatchObject({ ids: ['C3', 'C4'], complete: false, why: expect.stringContaining('T1') as string });
  });

  it('fails where no workspace may be read, and where one cannot be read just now', async () => {
    refused.set('conversations.list T1', 'team_access_not_granted');
    refused.set('conversations.list T2', 'team_access_not_granted');
    await expect(walk('channels')).rejects.toThrow();
    refused.set('conversations.list T1', 'internal_error');
    refused.delete('conversations.list T2');
    await expect(walk('channels')).rejects.toThrow();
  });

  it('lists the channels of the workspace that is named, and says so where none is', async () => {
    const slack = new SlackService(settings, { fetchFor: () => fetch } as unknown as GovernedHttp);
    const ref = await connection();
    const page = await slack.listChannels(ref, { limit: 10, team: 'T2' });
    expect(page.channels.map(({ id }) => id)).toEqual(['C3']);
    asked.splice(0);
    await expect(slack.listChannels(ref, { limit: 10 })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('team') as string,
    });
    const ofOne = { ...ref, metadata: { teamId: 'T1', isOrgWide: false } };
    await expect(slack.listChannels(ofOne, { limit: 10, team: 'T2' })).rejects.toMatchObject({ code: 'invalid_request' });
    expect(asked).toEqual([]);
  });

  it('goes on in the workspace where it was interrupted', async () => {
    const [first] = (await walk('channels')).pages;
    expect(first?.checkpoint).toEqual({ team: 'T1', cursor: '1' });
    expect((await walk('channels', first?.checkpoint)).ids).toEqual(['C3', 'C4']);
  });

  it('remembers over an interruption which workspaces it could not read', async () => {
    refused.set('conversations.list T1', 'team_access_not_granted');
    const [first] = (await walk('channels')).pages;
    expect(first?.checkpoint).toMatchObject({ team: 'T2', cursor: '1' });
    expect(await walk('channels', first?.checkpoint)).toMatchObject({
      ids: ['C4'],
      complete: false,
      why: expect.stringContaining('T1') as string,
    });
  });
});
