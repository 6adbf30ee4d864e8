import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Settings } from '../../config/env';
import type { ConnectionRef, SyncContext, SyncPage } from '../../integrations';
import { SlackAuthService } from './slack-auth.service';
import { SlackSyncService } from './slack-sync.service';

type Fields = URLSearchParams;

const TEAMS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  T1: [['C1', 'C2'], ['C3']],
  // C3 is shared by both.
  T2: [['C3', 'C4']],
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

describe('an installation of a whole Slack organization', () => {
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
        response.end(JSON.stringify(METHODS[method]!(fields)));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const apiBaseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`;
    settings = { providers: { slack: { webhookSecrets: [], apiBaseUrl } } } as unknown as Settings;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  beforeEach(() => void asked.splice(0));

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

  async function walk(resource: string, checkpoint?: unknown): Promise<{ ids: string[]; pages: SyncPage[]; complete: boolean }> {
    const { full } = new SlackSyncService(settings).resources.find(({ name }) => name === resource)!;
    const signal = new AbortController().signal;
    const context: SyncContext = { connection: await connection(), fetch, partition: '', checkpoint, signal, now: Date.now };
    const pages: SyncPage[] = [];
    const walked = full(context);
    for (let step = await walked.next(); ; step = await walked.next()) {
      if (step.done) return { ids: pages.flatMap(({ records }) => records.map(({ id }) => id)), pages, complete: step.value.complete };
      pages.push(step.value);
    }
  }

  it('is listed workspace by workspace, and what they share once', async () => {
    expect(await walk('channels')).toMatchObject({ ids: ['C1', 'C2', 'C3', 'C4'], complete: true });
    expect(asked.filter((call) => call.startsWith('conversations'))).toEqual([
      'conversations.list T1',
      'conversations.list T1',
      'conversations.list T2',
    ]);
    expect(await walk('users')).toMatchObject({ ids: ['U_T1', 'U_T2'], complete: true });
  });

  it('goes on in the workspace where it was interrupted', async () => {
    const [first] = (await walk('channels')).pages;
    expect(first?.checkpoint).toEqual({ team: 'T1', cursor: '1' });
    expect((await walk('channels', first?.checkpoint)).ids).toEqual(['C3', 'C4']);
  });
});
