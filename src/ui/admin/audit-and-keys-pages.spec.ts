import { randomBytes } from 'node:crypto';
import { startPages, type PagesFixture, type Visitor } from '../../../test/support/pages-fixture';

const key = () => randomBytes(32).toString('base64');

describe('the audit and the keys, for whom they are', () => {
  let pages: PagesFixture;
  let boss: Visitor;
  let stranger: Visitor;
  let operator: Visitor;
  let connection: string;

  beforeAll(async () => {
    pages = await startPages({ ENCRYPTION_KEYS: `new:${key()},old:${key()}` });
    boss = await pages.signIn({ tenant: 'acme', user: 'boss', role: 'admin' });
    stranger = await pages.signIn({ tenant: 'globex', user: 'bob', role: 'admin' });
    operator = await pages.signIn({ tenant: 'ops', user: 'op', role: 'operator' });
    pages.sandbox.control.setAutoConsent('allow');
    await boss.follow(await boss.post('/settings/integrations/slack/connect'));
    [{ id: connection }] = await pages.dataSource.query<[{ id: string }]>('SELECT id FROM connections');
  });
  afterAll(() => pages?.close());

  const entries = async (search = '', role: 'admin' | 'operator' = 'admin') => {
    const token = await pages.app.tokenFor({ tenant: 'acme', user: 'boss', role });
    const answer = await fetch(`${pages.url}/v1/admin/audit${search}`, { headers: { authorization: `Bearer ${token}` } });
    return ((await answer.json()) as { data: { id: string; action: string; tenant: string }[] }).data;
  };
  const rowsOf = (text: string) => text.split('<tr>').slice(2);

  it('says who did what, and leads to what it was done to', async () => {
    const { text } = await boss.get('/admin/audit');
    expect(rowsOf(text)).toHaveLength((await entries()).length);
    const [row = ''] = rowsOf(text).filter((each) => each.includes('connection.connect'));
    expect(row).toContain(`href="/admin/connections/${connection}"`);
    expect(row).toContain('boss');
    expect(row).toContain('127.0.0.1');
    expect((await boss.get(`/admin/connections/${connection}`)).status).toBe(200);
  });

  it('shows an organization its own, an operator all with their organization', async () => {
    expect((await stranger.get('/admin/audit')).text).not.toContain('<code>connection.connect</code>');
    const { text } = await operator.get('/admin/audit');
    expect(text).toContain('Organization');
    expect(rowsOf(text).some((row) => row.includes('connection.connect') && row.includes('acme'))).toBe(true);
    expect((await (await pages.signIn({ tenant: 'acme', user: 'ada' })).get('/admin/audit')).status).toBe(403);
  });

  it('filters', async () => {
    for (const [search, visitor, isShown] of [
      ['actor=boss', boss, true],
      ['actor=ada', boss, false],
      [`target=connection:${connection}`, boss, true],
      ['action=connection.connect', boss, true],
      ['action=user.erase', boss, false],
      ['from=2999-01-01T00:00', boss, false],
      ['to=2020-01-01T00:00', boss, false],
      ['tenant=acme', operator, true],
      ['tenant=globex', operator, false],
      ['tenant=acme', stranger, false],
    ] as const) {
      const { text } = await visitor.get(`/admin/audit?${search}`);
      expect([search, rowsOf(text).some((row) => row.includes('<code>connection.connect</code>'))]).toEqual([search, isShown]);
    }
    expect((await entries('?tenant=acme', 'operator')).every(({ tenant }) => tenant === 'acme')).toBe(true);
    expect(await entries('?tenant=globex')).toEqual([]);
    for (const wrong of ['action=x', 'from=yesterday', 'from=2026-02-31T10:00', 'unknown=1'])
      expect([wrong, (await boss.get(`/admin/audit?${wrong}`)).status]).toEqual([wrong, 400]);
  });

  it('gives all that match as a file, thousands of them, to whom they belong', async () => {
    await pages.dataSource.query(
      `INSERT INTO audit_entries (id, at, tenant, actor_tenant, actor_user, actor_role, action, target, outcome)
       SELECT gen_random_uuid(), now(), 'acme', 'acme', 'crowd', 'user', 'proxy.call', 'slack GET connection:' || $1, 'ok' FROM generate_series(1, 2300)`,
      [connection],
    );
    const link = /href="(\/admin\/audit\/export[^"]*)" download/.exec((await boss.get('/admin/audit?actor=crowd')).text)?.[1] ?? '';
    expect(link).toBe('/admin/audit/export?actor=crowd');
    for (const [visitor, count] of [
      [boss, 2300],
      [operator, 2300],
      [stranger, 0],
    ] as const) {
      const file = await visitor.get(link);
      expect([file.status, file.headers.get('content-type'), file.headers.get('content-disposition')]).toEqual([
        200,
        'application/x-ndjson',
        'attachment; filename="audit.ndjson"',
      ]);
      const lines = file.text.split('\n').filter(Boolean);
      expect(new Set(lines.map((line) => (JSON.parse(line) as { id: string }).id)).size).toBe(count);
    }
    expect((await boss.get('/admin/audit/export?from=yesterday')).status).toBe(400);
  });

  it('tells an operator which key is needed by how many rows, and nobody else; never a key', async () => {
    const token = (tenant: string, role: 'admin' | 'operator') => pages.app.tokenFor({ tenant, user: 'boss', role });
    const ask = async (role: 'admin' | 'operator') =>
      fetch(`${pages.url}/v1/admin/keys`, { headers: { authorization: `Bearer ${await token('acme', role)}` } });
    expect((await ask('admin')).status).toBe(403);
    expect((await boss.get('/admin/keys')).status).toBe(403);
    expect((await boss.get('/admin')).text).not.toContain('/admin/keys');
    expect((await operator.get('/admin')).text).toContain('/admin/keys');
    const before = await operator.get('/admin/keys');
    expect(before.text).toContain('may be taken out');
    await pages.dataSource.query(`UPDATE tokens SET key_id = 'old'`);
    const { data } = (await (await ask('operator')).json()) as {
      data: { keyId: string; primary: boolean; rows: Record<string, number> }[];
    };
    const { text } = await operator.get('/admin/keys');
    for (const { keyId, rows } of data) {
      const sum = Object.values(rows).reduce((a, b) => a + b, 0);
      const row = rowsOf(text).find((each) => each.includes(`<code>${keyId}</code>`));
      expect(row).toContain(`Rows that need it">${sum}</td>`);
    }
    expect(data.find(({ keyId }) => keyId === 'old')?.rows['tokens']).toBeGreaterThan(0);
    expect(text).toContain('Still needed');
    expect(text).toContain('rows are still under <code>old</code>');
    for (const { key: secret } of pages.app.settings.encryptionKeys) expect(text).not.toContain(secret.toString('base64'));
  });
});
