import { DataSource } from 'typeorm';
import { startPages, type PagesFixture } from '../../../test/support/pages-fixture';
import { ConnectParticipants, IntegrationEvents } from '../connections';

describe('the first sync of a connect', () => {
  let pages: PagesFixture;
  beforeAll(async () => {
    // nothing is worked off: what stands there is what the connect wrote
    pages = await startPages({ WORKERS: 'false' });
    pages.sandbox.control.setAutoConsent('allow');
  });
  afterAll(() => pages.close());

  const runs = () =>
    pages.app.app
      .get(DataSource)
      .query<{ status: string; trigger: string; type: string }[]>(`SELECT status, trigger, type FROM sync_runs ORDER BY created_at`);
  const connect = async (user: string) => {
    const visitor = await pages.signIn({ tenant: 'acme', user });
    return visitor.follow(await visitor.post('/settings/integrations/slack/connect'));
  };

  it('is queued with the connection, and the card says so', async () => {
    const seen: Promise<object[]>[] = [];
    const end = pages.app.app.get(IntegrationEvents, { strict: false }).on('connection.connected', () => void seen.push(runs()));
    const page = await connect('ada');
    end();
    const queued = [{ status: 'queued', trigger: 'connect', type: 'full' }];
    expect(await Promise.all(seen)).toEqual([queued]);
    expect(page.text).toContain('The first sync is queued');
    expect(page.text).toContain('<progress');
    expect(await runs()).toEqual(queued);
  });

  it('is one run, however often the account is connected before it starts', async () => {
    await connect('ada');
    await connect('ada');
    expect(await runs()).toHaveLength(1);
  });

  it('undoes the connect where it cannot be written', async () => {
    const end = pages.app.app.get(ConnectParticipants, { strict: false }).register(() => Promise.reject(new Error('not written')));
    const page = await connect('bob');
    end();
    expect(page.text).not.toContain('Slack is connected');
    expect(await pages.dataSource.query(`SELECT 1 FROM connections WHERE user_id = 'bob'`)).toEqual([]);
  });
});
