import { DataSource } from 'typeorm';
import { ERROR_KINDS } from '../src/errors';
import { ConnectionRepository, ProviderRegistry, type Provider } from '../src/integrations';
import { TokenRepository } from '../src/integrations/connections/tokens/token.repository';
import type { ProviderName, Sandbox } from '../sandbox';
import { startTestApp, type TestApp } from './support/test-app';
import { Browser } from './support/browser';

/** What the suite must know of a provider to try it: its accounts, and how things happen there. */
export interface ProviderSubject {
  readonly key: ProviderName;
  /** Account at the provider, and the field of the consent page that chooses it. */
  readonly account: string;
  readonly consent: Readonly<Record<string, string>>;
  /** Resources whose records are compared with what the provider holds. */
  readonly resources: readonly string[];
  /** Ids that the provider holds now, asked with a token of its own, round the product. */
  remoteIds(sandbox: Sandbox, resource: string): Promise<readonly string[]>;
  /** Changes one record of `changes` and removes another. */
  readonly changes: string;
  change(sandbox: Sandbox): Promise<{ readonly changed: string; readonly deleted: string }>;
  /** Type of an event that it sends. */
  readonly eventType: string;
  /** Something real that needs a valid token: a route below the connection. */
  readonly action: { readonly method: 'GET' | 'POST'; readonly path: string };
  /** Likewise, in the product's own words where the action hands the provider's through. Default: `action`. */
  readonly refused?: { readonly method: 'GET' | 'DELETE'; readonly path: string };
  /** Answers of the provider that are failures: status and JSON. */
  readonly failures: readonly (readonly [status: number, json: unknown])[];
  /** Endpoint of its token calls; absent where tokens do not expire. */
  readonly tokenEndpoint?: string;
}

/** Every provider passes this, over HTTP, through the real core. */
export function describeProvider(subject: ProviderSubject): void {
  describe(subject.key, () => {
    const lines: string[] = [];
    const answers: string[] = [];
    let app: TestApp;
    let provider: Provider;
    let browser: Browser;
    let connectionId: string;

    beforeAll(async () => {
      app = await startTestApp({ log: { write: (line: string) => void lines.push(line) } });
      provider = app.app.get(ProviderRegistry, { strict: false }).get(subject.key);
      browser = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'ada' }), answers);
    });
    afterAll(() => app.close());

    const api = <T>(method: string, path: string, body?: unknown) => browser.api<T>(method, path, body);
    const below = <T>(method: string, path: string, body?: unknown) => api<T>(method, `/v1/connections/${connectionId}/${path}`, body);

    it('is listed with what it can do', async () => {
      const { body } = await api<{ data: { key: string }[] }>('GET', '/v1/providers');
      expect(body.data.find((each) => each.key === subject.key)).toMatchObject({
        configured: true,
        capabilities: { sync: true, webhooks: true, actions: true },
      });
    });

    it('declares limits that exist for every endpoint', () => {
      const { endpoints, limits, defaultLimits } = provider.http;
      expect(endpoints.length).toBeGreaterThan(0);
      for (const name of [...defaultLimits, ...endpoints.flatMap((endpoint) => endpoint.limits ?? [])])
        expect(Object.keys(limits)).toContain(name);
      for (const { perSecond, burst, per, keyParam } of Object.values(limits)) {
        expect(perSecond).toBeGreaterThan(0);
        expect(burst).toBeGreaterThanOrEqual(1);
        expect(per === 'param').toBe(keyParam !== undefined);
      }
    });

    it('puts every failure into a code of the catalogue and a sentence', () => {
      for (const [status, json] of subject.failures) {
        const fault = provider.http.readFault?.({ status, headers: new Headers(), json });
        expect(Object.keys(ERROR_KINDS)).toContain(fault?.code);
        const sentence = fault?.detail ?? ERROR_KINDS[fault!.code].detail;
        expect(sentence).toMatch(/^[A-Z].*\.$/);
        expect(sentence).not.toMatch(/\b(API Error|429|undefined|null)\b/);
      }
    });

    it('connects with consent and knows whose account it is', async () => {
      const landed = await browser.connect(subject.key, subject.consent);
      expect(landed.searchParams.get('success')).toBe(subject.key);
      connectionId = landed.searchParams.get('connection') ?? '';
      const { body } = await api<ConnectionView>('GET', `/v1/connections/${connectionId}`);
      expect(body).toMatchObject({ provider: subject.key, status: 'connected', connected: true, error: null });
      expect(body.account.id).not.toBe('');
      expect(body.account.name).not.toBe('');
    });

    it('is synced by itself until it equals the provider', async () => {
      await browser.synced(connectionId, (run) => run.trigger === 'connect');
      for (const resource of subject.resources) {
        const { ids } = await browser.records(connectionId, resource);
        expect([...ids].sort()).toEqual([...(await subject.remoteIds(app.sandbox, resource))].sort());
        expect(ids.length).toBeGreaterThan(0);
      }
    });

    it('sees a change and a deletion in an incremental run', async () => {
      const resource = subject.changes;
      const before = await browser.records(connectionId, resource);
      app.sandbox.setWebhookTarget('');
      const { changed, deleted } = await subject.change(app.sandbox);
      app.sandbox.setWebhookTarget(app.url);
      const { body: run } = await below<{ id: string }>('POST', 'syncs', { type: 'incremental' });
      await browser.synced(connectionId, ({ id }) => id === run.id);
      const since = await browser.records(connectionId, resource, before.nextCursor);
      expect(since.changes.find((each) => each.id === changed)).toMatchObject({ deleted: false });
      expect(since.changes.find((each) => each.id === deleted)).toMatchObject({ deleted: true });
      expect([...(await browser.records(connectionId, resource)).ids].sort()).toEqual(
        [...(await subject.remoteIds(app.sandbox, resource))].sort(),
      );
    });

    it('takes what it signed, once, and works it off', async () => {
      const { byStatus, eventIds } = await app.sandbox.control.deliver({
        provider: subject.key,
        type: subject.eventType,
        account: subject.account,
        copies: 3,
      });
      expect(Object.keys(byStatus)).toEqual(['200']);
      const events = await browser.eventually(async () => {
        const { body } = await browser.asAdmin<{ data: { eventId: string; status: string; connectionId: string | null }[] }>(
          'GET',
          `/v1/admin/webhook-events?provider=${subject.key}&eventId=${encodeURIComponent(eventIds[0] ?? '')}`,
        );
        return body.data.every((each) => each.status === 'completed') && body.data.length > 0 ? body.data : undefined;
      });
      expect(events).toHaveLength(1);
      expect(events[0]?.connectionId).toBe(connectionId);
    });

    it.each(['bad-signature', 'no-signature', 'altered-body', 'old-timestamp', 'future-timestamp'] as const)(
      'refuses %s',
      async (forge) => {
        const { byStatus } = await app.sandbox.control.deliver({
          provider: subject.key,
          type: subject.eventType,
          account: subject.account,
          forge,
        });
        expect(Object.keys(byStatus)).toEqual(['401']);
      },
    );

    it('acts, and renews an ended token once', async () => {
      expect((await below(subject.action.method, subject.action.path)).status).toBeLessThan(300);
      if (subject.tokenEndpoint === undefined) return;
      app.sandbox.control.expireTokens(subject.key, subject.account);
      const { lastSeq } = app.sandbox.control;
      const done = await Promise.all([1, 2, 3].map(() => below(subject.action.method, subject.action.path)));
      expect(done.map(({ status }) => status)).toEqual([200, 200, 200]);
      const renewals = app.sandbox.control.ledger({ kind: 'request', endpoint: subject.tokenEndpoint, since: lastSeq });
      expect(renewals.map(({ detail }) => detail?.['grantType'])).toEqual(['refresh_token']);
    });

    it.each([
      ['a refusal', { kind: 'status', status: 400 }],
      ['an outage', { kind: 'status', status: 503 }],
      ['nonsense', { kind: 'html-200' }],
    ] as const)('answers %s in plain words', async (_, fault) => {
      app.sandbox.control.addFault({ ...fault, provider: subject.key });
      const { method, path } = subject.refused ?? subject.action;
      const { status, body } = await below<{ code: string; detail: string; nextStep: string }>(method, path);
      app.sandbox.control.clearFaults();
      expect(status).toBeGreaterThanOrEqual(400);
      expect(Object.keys(ERROR_KINDS)).toContain(body.code);
      expect(body.code).not.toBe('internal_error');
      expect(body.detail).toMatch(/^[A-Z].*\.$/);
      expect(body.nextStep).toMatch(/^[A-Z].*\.$/);
    });

    it('notices that the provider ended the access, and mends it on reconnecting', async () => {
      app.sandbox.control.revokeTokens(subject.key, subject.account);
      await below(subject.action.method, subject.action.path);
      const ended = await browser.eventually(async () => {
        const { body } = await api<ConnectionView>('GET', `/v1/connections/${connectionId}`);
        return body.status === 'needs_reauth' ? body : undefined;
      });
      expect(ended).toMatchObject({ connected: false, error: { code: 'needs_reauth' } });
      const landed = await browser.connect(subject.key, subject.consent);
      expect(landed.searchParams.get('connection')).toBe(connectionId);
      expect((await below(subject.action.method, subject.action.path)).status).toBe(200);
    });

    it('writes no secret anywhere', async () => {
      const held = await secretsOf(app, connectionId);
      expect(held.length).toBeGreaterThan(0);
      const rows = await everyRow(app);
      const { clientSecret, webhookSecrets } = app.settings.providers[subject.key]!;
      for (const secret of [...held, clientSecret, ...webhookSecrets].filter((each) => each !== undefined)) {
        for (const [where, text] of [
          ['log', lines.join('')],
          ['answers', answers.join('')],
          ['database', rows],
        ] as const) {
          expect({ where, found: text.includes(secret) }).toEqual({ where, found: false });
        }
      }
    });

    it('ends the access at the provider on disconnecting, and keeps nothing to act with', async () => {
      const { body } = await api<{ revoked: boolean }>('DELETE', `/v1/connections/${connectionId}`);
      expect(body).toEqual({ revoked: true });
      expect(app.sandbox.control.state()[subject.key]?.[subject.account]).toMatchObject({ activeGrants: 0 });
      expect(await secretsOf(app, connectionId)).toEqual([]);
      expect(await below(subject.action.method, subject.action.path)).toMatchObject({ status: 409, body: { code: 'not_connected' } });
    });
  });
}

interface ConnectionView {
  readonly status: string;
  readonly account: { readonly id: string; readonly name: string };
}

/** The one place that can read them. */
async function secretsOf(app: TestApp, connectionId: string): Promise<string[]> {
  const connection = await app.app.get(ConnectionRepository, { strict: false }).findById(connectionId);
  const tokens = await app.app.get(TokenRepository, { strict: false }).loadAll(connection!);
  return tokens.flatMap(({ accessToken, refreshToken }) => [accessToken, refreshToken ?? accessToken]);
}

/** All tables as text; binary columns as the text that they may hold. Partitions are read through their table. */
async function everyRow(app: TestApp): Promise<string> {
  const dataSource = app.app.get(DataSource);
  const tables: { tablename: string }[] = await dataSource.query(
    `SELECT relname AS tablename FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition`,
  );
  const texts: string[] = [];
  for (const { tablename } of tables) {
    const rows: Record<string, unknown>[] = await dataSource.query(`SELECT * FROM "${tablename}"`);
    texts.push(
      ...rows.flatMap((row) =>
        Object.values(row).map((value) =>
          Buffer.isBuffer(value) ? value.toString('utf8') : typeof value === 'object' ? JSON.stringify(value) : String(value),
        ),
      ),
    );
  }
  return texts.join('\n');
}
