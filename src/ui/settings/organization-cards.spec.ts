import { ConnectionSeals } from '../../integrations/connections/seals/connection-seals';
import { startPages, type PagesFixture, type Visitor } from '../../../test/support/pages-fixture';

const PAGE = '/settings/integrations';

describe('the cards of an organization’s connections', () => {
  let pages: PagesFixture;
  let boss: Visitor;
  let bob: Visitor;
  let id: string;
  beforeAll(async () => {
    pages = await startPages();
    boss = await pages.signIn({ tenant: 'acme', user: 'boss', role: 'admin' });
    bob = await pages.signIn({ tenant: 'acme', user: 'bob' });
    pages.sandbox.control.setAutoConsent('allow');
    await boss.follow(await boss.post(`${PAGE}/google/connect`, { owner: 'organization' }));
    const rows = await pages.dataSource.query<{ id: string }[]>(`SELECT id FROM connections WHERE tenant = 'acme' AND user_id = ''`);
    id = rows[0]?.id ?? '';
  }, 120_000);
  afterAll(() => pages.close());

  const card = async (visitor: Visitor) =>
    /<li class="card" id="card-google"[\s\S]*?<\/li>/.exec((await visitor.get(PAGE)).text)?.[0] ?? '';

  it('show whose they are, to those who use them and to those who manage them', async () => {
    expect(id).not.toBe('');
    const managed = await card(boss);
    expect(managed).toContain('Your organization’s: used by everybody in it.');
    expect(managed).toContain(`/connections/${id}/disconnect`);
    const used = await card(bob);
    expect(used).toContain('Its administrators look after it.');
    expect(used).not.toContain(`/connections/${id}/disconnect`);
  });

  it('offer to connect for the organization to administrators alone', async () => {
    expect(await card(boss)).toContain('Connect for the organization');
    expect(await card(bob)).not.toContain('Connect for the organization');
    const refused = await bob.post(`${PAGE}/google/connect`, { owner: 'organization' });
    expect((await bob.follow(refused)).text).toContain('Your role does not allow this.');
  });

  it.each([
    ['', 'all', 'admins', 'used by everybody in it'],
    ['shared', 'all', 'admins', 'used by everybody in it'],
    ['open', 'all', 'all', 'used and managed by everybody in it'],
    ['admins', 'admins', 'admins', 'used and managed by its administrators'],
  ])('are made with the policy that an administrator chose: “%s”', async (people, usedBy, managedBy, words) => {
    expect(await card(boss)).toContain(`<option value="admins">The organization’s administrators alone can`);
    const landed = await boss.follow(await boss.post(`${PAGE}/slack/connect`, { owner: 'organization', ...(people && { people }) }));
    expect(landed.text).toContain(words);
    const rows = await pages.dataSource.query<object[]>(
      `SELECT used_by, managed_by FROM connections WHERE tenant = 'acme' AND user_id = '' AND provider = 'slack' AND status = 'connected'`,
    );
    expect(rows).toEqual([{ used_by: usedBy, managed_by: managedBy }]);
    const seen = /<li class="card" id="card-slack"[\s\S]*?<\/li>/.exec((await bob.get(PAGE)).text)?.[0];
    expect(seen?.includes('Your organization’s')).toBe(usedBy === 'all');
  });

  it('take a key for the organization as well, and let nobody else choose', async () => {
    expect(await boss.get(PAGE).then(({ text }) => text)).toContain('<option value="">Yours</option>');
    expect(await bob.get(PAGE).then(({ text }) => text)).not.toContain('name="people"');
    const apiKey = String(pages.sandbox.control.change('stripe', 'keys', { account: 'acct_1ForAll' })['key']);
    const refused = await bob.follow(await bob.post(`${PAGE}/stripe/key`, { apiKey, people: 'shared' }));
    expect(refused.text).toContain('Only an administrator connects an account for the organization.');
    await boss.follow(await boss.post(`${PAGE}/stripe/key`, { apiKey, people: 'admins' }));
    const rows = await pages.dataSource.query<object[]>(`SELECT user_id, used_by, managed_by FROM connections WHERE provider = 'stripe'`);
    expect(rows).toEqual([{ user_id: '', used_by: 'admins', managed_by: 'admins' }]);
    expect((await boss.post(`${PAGE}/stripe/key`, { apiKey, people: 'nobody' })).status).toBe(400);
  });

  it('take another key, of the same account, from whoever the policy lets manage them', async () => {
    const keyOf = (account: string) => String(pages.sandbox.control.change('stripe', 'keys', { account })['key']);
    await pages.dataSource.query(
      `UPDATE connections SET used_by = 'all', managed_by = 'all', status = 'needs_reauth', seal = NULL WHERE provider = 'stripe'`,
    );
    await pages.app.app.get(ConnectionSeals, { strict: false }).sealUnsealed();
    const rows = await pages.dataSource.query<{ id: string }[]>(`SELECT id FROM connections WHERE provider = 'stripe'`);
    const again = rows[0]?.id ?? '';
    const stripe = async () => /<li class="card" id="card-stripe"[\s\S]*?<\/li>/.exec((await bob.get(PAGE)).text)?.[0] ?? '';
    expect(await stripe()).toContain(`id="form-key-${again}"`);
    const send = (account: string) => bob.post(`${PAGE}/stripe/key`, { apiKey: keyOf(account), owner: 'organization', again });
    expect((await send('acct_1Another')).text).toContain('The account that was connected is not the one of this connection.');
    expect((await bob.follow(await send('acct_1ForAll'))).text).toContain('Stripe is connected.');
    expect(await pages.dataSource.query(`SELECT id, user_id, status FROM connections WHERE provider = 'stripe'`)).toEqual([
      { id: again, user_id: '', status: 'connected' },
    ]);
    await pages.dataSource.query(`UPDATE connections SET used_by = 'admins', managed_by = 'admins', seal = NULL WHERE provider = 'stripe'`);
    await pages.app.app.get(ConnectionSeals, { strict: false }).sealUnsealed();
  });

  it('let an administrator change who may use and manage them, and nobody else', async () => {
    const to = `${PAGE}/connections/${id}/policy`;
    const stored = () => pages.dataSource.query<object[]>('SELECT used_by, managed_by FROM connections WHERE id = $1', [id]);
    expect(await card(boss)).toMatch(/<option value="shared" selected>/);
    expect(await card(bob)).not.toContain(to);
    const opened = await boss.follow(await boss.post(to, { people: 'open' }));
    expect(opened.text).toContain('Who may use and manage it is changed.');
    expect(await card(boss)).toMatch(/<option value="open" selected>/);
    expect(await stored()).toEqual([{ used_by: 'all', managed_by: 'all' }]);
    // who manages it because the policy says so could give away more than was given
    expect(await card(bob)).toContain(`/connections/${id}/disconnect`);
    expect(await card(bob)).not.toContain(to);
    expect((await bob.follow(await bob.post(to, { people: 'admins' }))).text).toContain('Your role does not allow this.');
    expect(await stored()).toEqual([{ used_by: 'all', managed_by: 'all' }]);
    expect((await boss.post(to, { people: 'nobody' })).status).toBe(400);
    await boss.follow(await boss.post(to, { people: 'admins' }));
    expect(await card(bob)).not.toContain('Your organization’s');
    expect((await bob.post(to, { people: 'open' })).status).toBe(404);
    await boss.follow(await boss.post(to, { people: 'shared' }));
    expect(await stored()).toEqual([{ used_by: 'all', managed_by: 'admins' }]);
    const acts = await pages.dataSource.query<object[]>(
      `SELECT actor_user, outcome FROM audit_entries WHERE action = 'connection.update' AND target = $1 ORDER BY id`,
      [`connection:${id}`],
    );
    expect(acts).toEqual(Array.from({ length: 3 }, () => ({ actor_user: 'boss', outcome: 'ok' })));
  });

  it('have no such choice where they are a person’s own', async () => {
    await boss.follow(await boss.post(`${PAGE}/google/connect`));
    const [own] = await pages.dataSource.query<{ id: string }[]>(
      `SELECT id FROM connections WHERE user_id = 'boss' AND provider = 'google'`,
    );
    expect(await card(boss)).not.toContain(`/connections/${own!.id}/policy`);
    const refused = await boss.follow(await boss.post(`${PAGE}/connections/${own!.id}/policy`, { people: 'open' }));
    expect(refused.text).toContain('role="status"');
    await boss.follow(await boss.post(`${PAGE}/connections/${own!.id}/disconnect`, { confirmed: 'yes' }));
  });

  it('are not ended by a form that somebody makes who only uses them', async () => {
    expect((await bob.post(`${PAGE}/connections/${id}/disconnect`, { confirmed: 'yes' })).status).toBe(403);
    expect((await bob.follow(await bob.post(`${PAGE}/connections/${id}/reconnect`))).text).toContain('Your role does not allow this.');
    expect((await bob.follow(await bob.post(`${PAGE}/connections/${id}/sync`))).text).toMatch(
      /sync (has been started|is done|is under way)/,
    );
    expect(await card(boss)).toContain('Connected');
  });

  it('say what was not allowed, and let those who manage them ask for it', async () => {
    const calendar = 'https://www.googleapis.com/auth/calendar.readonly';
    const [row] = await pages.dataSource.query<{ scopes: string[] }[]>('SELECT scopes FROM connections WHERE id = $1', [id]);
    expect(await card(boss)).not.toContain('Works in part');
    const less = row!.scopes.filter((scope) => scope !== calendar);
    expect(less).toHaveLength(row!.scopes.length - 1);
    await pages.dataSource.query('UPDATE connections SET scopes = $2, seal = NULL WHERE id = $1', [id, less]);
    await pages.app.app.get(ConnectionSeals, { strict: false }).sealUnsealed();
    expect(await card(boss)).toContain('Connected in part');
    expect(await card(boss)).toMatch(/Works in part. Not allowed:<\/dt>\s*<dd>Read your calendars and their events<\/dd>/);
    expect(await card(boss)).toContain('Allow what is missing');
    expect(await card(bob)).not.toContain('Allow what is missing');
    await boss.follow(await boss.post(`${PAGE}/connections/${id}/reconnect`));
    expect(await card(boss)).not.toContain('Works in part');
  });

  it('tell administrators whose each connection is', async () => {
    expect((await boss.get('/admin/providers/google')).text).toContain('The organization');
  });

  it('are ended for all by an administrator, who is asked first', async () => {
    expect((await boss.post(`${PAGE}/connections/${id}/disconnect`)).text).toContain('for the whole organization');
    const ended = await boss.follow(await boss.post(`${PAGE}/connections/${id}/disconnect`, { confirmed: 'yes' }));
    expect(ended.text).toContain('Disconnected. The access has ended at the provider as well.');
    expect(await card(bob)).toContain('Not connected');
  });
});
