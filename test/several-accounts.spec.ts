import { DataSource } from 'typeorm';
import type { PlainProvider } from '../src/integrations';
import { PLAIN_PROVIDERS } from '../src/providers';
import { PlainSandbox } from '../sandbox/plain/plain-sandbox';
import { Browser } from './support/browser';
import { startTestApp, type TestApp } from './support/test-app';

const jira = PLAIN_PROVIDERS.find(({ key }) => key === 'jira') as PlainProvider;

describe('one consent for several accounts', () => {
  let app: TestApp;
  let sandbox: PlainSandbox;
  let ada: Browser;
  beforeAll(async () => {
    sandbox = await PlainSandbox.start([jira]);
    app = await startTestApp({ settings: { ...sandbox.env(), REQUESTS_PER_SECOND: '10000', WORKERS: 'false' } });
    ada = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'ada' }));
  });
  afterAll(async () => {
    await app.close();
    await sandbox.stop();
  });

  const call = (as: Browser, id: string, path = 'api/3/things') => as.api<{ code?: string }>('GET', `/v1/connections/${id}/proxy/${path}`);
  const idsOf = (landed: URL) => (landed.searchParams.get('connections') ?? '').split(',');
  const status = async (id: string) => (await ada.api<{ status: string }>('GET', `/v1/connections/${id}`)).body.status;

  it('makes a connection of each, and each calls its own account', async () => {
    const landed = await ada.connect('jira');
    const [first, second, ...more] = idsOf(landed);
    expect([landed.searchParams.get('connection'), more]).toEqual([first, []]);
    const accounts = await Promise.all(
      [first!, second!].map(async (id) => (await ada.api<{ account: { id: string } }>('GET', `/v1/connections/${id}`)).body.account.id),
    );
    expect(accounts).toEqual(['acct-1', 'acct-2']);
    const from = sandbox.requests.length;
    for (const id of [first!, second!]) expect((await call(ada, id)).status).toBe(200);
    expect(sandbox.requests.slice(from).map(({ path }) => path)).toEqual(['acct-1/api/3/things', 'acct-2/api/3/things']);
  });

  it('has one token, which is renewed once for all of them', async () => {
    const ids = idsOf(await ada.connect('jira'));
    sandbox.expireTokens('jira');
    const from = sandbox.requests.length;
    const answers = await Promise.all([...ids, ...ids].map((id) => call(ada, id)));
    expect(answers.map((each) => each.status)).toEqual([200, 200, 200, 200]);
    expect(sandbox.requests.slice(from).filter(({ what }) => what === 'token')).toHaveLength(1);
  });

  it('is mended for all of them by connecting one anew', async () => {
    const [first, second] = idsOf(await ada.connect('jira')) as [string, string];
    sandbox.revokeTokens('jira');
    for (const id of [first, second]) await call(ada, id, 'api/3/ended');
    expect([await status(first), await status(second)]).toEqual(['needs_reauth', 'needs_reauth']);
    sandbox.admitAgain('jira');
    const landed = await ada.connect('jira', {}, { connectionId: second });
    expect([landed.searchParams.get('connection'), landed.searchParams.get('connections')]).toEqual([second, null]);
    expect([await status(first), await status(second)]).toEqual(['connected', 'connected']);
    for (const id of [first, second]) expect((await call(ada, id)).status).toBe(200);
  });

  it('shares nothing with another person, and not with the same one of another organization', async () => {
    await ada.connect('jira');
    for (const who of [
      { tenant: 'acme', user: 'bob' },
      { tenant: 'other', user: 'ada' },
    ])
      await new Browser(app, await app.tokenFor(who)).connect('jira');
    const rows = await app.app
      .get(DataSource)
      .query<{ grants: string; connections: string }[]>(
        `SELECT count(DISTINCT grant_id) AS grants, count(*) AS connections FROM connections WHERE provider = 'jira' AND status = 'connected'`,
      );
    expect(rows).toEqual([{ grants: '3', connections: '6' }]);
  });

  it('stays for the others when one is disconnected', async () => {
    const [first, second] = idsOf(await ada.connect('jira')) as [string, string];
    expect((await ada.api('DELETE', `/v1/connections/${first}`)).status).toBe(200);
    expect((await call(ada, second)).status).toBe(200);
    expect(await call(ada, first)).toMatchObject({ status: 409, body: { code: 'not_connected' } });
  });

  it('says so where it is for none', async () => {
    sandbox.answerNext('jira', { status: 200, body: [] });
    const landed = await ada.connect('jira');
    expect(landed.searchParams.get('error')).toBe('connect_failed');
  });
});
