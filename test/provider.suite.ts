import { DataSource } from 'typeorm';
import { ERROR_KINDS } from '../src/errors';
import { ConnectionRepository, ProviderRegistry, type Provider } from '../src/integrations';
import { TokenRepository } from '../src/integrations/connections/tokens/token.repository';
import type { Forge, ProviderName } from '../sandbox';
import { Browser } from './support/browser';
import { startOnSandbox, type Stage, type StagedOperation } from './support/suite-stage';
import type { TestApp, TestAppOptions } from './support/test-app';

/** What the suite must know of a provider to try it: its accounts, and how things happen there. */
export interface ProviderSubject {
  readonly key: ProviderName;
  /** Account at the provider, and the field of the consent page that chooses it. */
  readonly account: string;
  readonly consent: Readonly<Record<string, string>>;
  /** What a person fills in at the connect. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Default: before the pretend provider that is written by hand. */
  start?(log: TestAppOptions['log']): Promise<Stage>;
  /** Resources whose records are compared with what the provider holds. */
  readonly resources: readonly string[];
  /** Ids that the provider holds now, asked with a token of its own, round the product. */
  remoteIds(stage: Stage, resource: string): Promise<readonly string[]>;
  /** Changes one record of `changes` and removes another. */
  readonly changes: string;
  change(stage: Stage): Promise<Changed>;
  /** Which run sees that something was removed. Default `incremental`. */
  readonly deletionsIn?: 'incremental' | 'full' | 'none';
  /** What a call of an incremental run looks like that asks for changes only, where the provider can be asked so. */
  readonly asksSince?: RegExp;
  /** Sends the events of a change, where they are not sent by themselves. */
  tell?(stage: Stage, change: Changed): Promise<void>;
  /** Whether its events tell of removals too. Default true. */
  readonly tellsDeletions?: boolean;
  /** Type of an event that it sends. */
  readonly eventType: string;
  /** Something real that needs a valid token: a route below the connection. */
  readonly action: { readonly method: 'GET' | 'POST'; readonly path: string };
  /** Likewise, in the product's own words where the action hands the provider's through. Default: `action`. */
  readonly refused?: { readonly method: 'GET' | 'DELETE' | 'POST'; readonly path: string; readonly body?: object };
  /** Answers of the provider that are failures: status and JSON. */
  readonly failures: readonly (readonly [status: number, json: unknown])[];
  /** Endpoint of its token calls; absent where tokens do not expire. */
  readonly tokenEndpoint?: string;
  /** How its tokens are renewed. Default `refresh_token`. */
  readonly renewsBy?: string;
  /** What can be forged of its signatures. Default: everything. */
  readonly forgeries?: readonly Forge[];
  readonly operations: readonly StagedOperation[];
  /** Whether a token can be ended there. Default true. */
  readonly endsAtProvider?: boolean;
}

interface Changed {
  readonly changed: string;
  readonly deleted: string;
}

const EVERY_FORGERY: readonly Forge[] = ['bad-signature', 'no-signature', 'altered-body', 'old-timestamp', 'future-timestamp'];

/** Every provider passes this, over HTTP, through the real core. */
export function describeProvider(subject: ProviderSubject): void {
  describe(subject.key, () => {
    const lines: string[] = [];
    const answers: string[] = [];
    let stage: Stage;
    let app: TestApp;
    let provider: Provider;
    let browser: Browser;
    let connectionId: string;

    beforeAll(async () => {
      const log = { write: (line: string) => void lines.push(line) };
      stage = await (subject.start?.(log) ?? startOnSandbox(subject, log));
      app = stage.app;
      provider = app.app.get(ProviderRegistry, { strict: false }).get(subject.key);
      browser = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'ada' }), answers);
    });
    afterAll(() => stage.close());

    const api = <T>(method: string, path: string, body?: unknown) => browser.api<T>(method, path, body);
    const below = <T>(method: string, path: string, body?: unknown) => api<T>(method, `/v1/connections/${connectionId}/${path}`, body);
    const connect = () => browser.connect(subject.key, subject.consent, subject.fields && { fields: subject.fields });
    const run = async (type: string) => {
      const { body } = await below<{ id: string }>('POST', 'syncs', { type });
      const { shapeErrors } = await browser.synced(connectionId, ({ id }) => id === body.id);
      expect(shapeErrors).toEqual([]);
    };
    const latest = async (from: string) => {
      const { changes } = await browser.records(connectionId, subject.changes, from);
      return new Map(changes.map((each) => [each.id, each.deleted]));
    };

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
      const landed = await connect();
      expect(landed.searchParams.get('success')).toBe(subject.key);
      connectionId = landed.searchParams.get('connection') ?? '';
      const { body } = await api<ConnectionView>('GET', `/v1/connections/${connectionId}`);
      expect(body).toMatchObject({ provider: subject.key, status: 'connected', connected: true, error: null });
      expect(body.account.id).not.toBe('');
      expect(body.account.name).not.toBe('');
    });

    it('is synced by itself until it equals the provider', async () => {
      const { shapeErrors } = await browser.synced(connectionId, (run) => run.trigger === 'connect');
      expect(shapeErrors).toEqual([]);
      for (const resource of subject.resources) {
        const { ids } = await browser.records(connectionId, resource);
        expect([...ids].sort()).toEqual([...(await subject.remoteIds(stage, resource))].sort());
        expect(ids.length).toBeGreaterThan(0);
      }
    });

    it('sees a change and a deletion in a run, and asks for no more than it must', async () => {
      const { deletionsIn = 'incremental', changes: resource } = subject;
      const before = await browser.records(connectionId, resource);
      const { changed, deleted } = await stage.silently(() => subject.change(stage));
      const asked = stage.asked().length;
      await run('incremental');
      if (subject.asksSince) expect(stage.asked().slice(asked)).toContainEqual(expect.stringMatching(subject.asksSince));
      expect((await latest(before.nextCursor)).get(changed)).toBe(false);
      if (deletionsIn === 'none') return;
      if (deletionsIn === 'full') await run('full');
      expect((await latest(before.nextCursor)).get(deleted)).toBe(true);
      expect([...(await browser.records(connectionId, resource)).ids].sort()).toEqual(
        [...(await subject.remoteIds(stage, resource))].sort(),
      );
    });

    it('hears of a change and a deletion by their events', async () => {
      const before = await browser.records(connectionId, subject.changes);
      const change = await subject.change(stage);
      await subject.tell?.(stage, change);
      await browser.eventually(async () => {
        const seen = await latest(before.nextCursor);
        return (seen.get(change.changed) === false && (subject.tellsDeletions === false || seen.get(change.deleted))) || undefined;
      });
    });

    it('takes what it signed, once, and works it off', async () => {
      const { byStatus, eventIds } = await stage.deliver({ copies: 3 });
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

    it.each(subject.forgeries ?? EVERY_FORGERY)('refuses %s', async (forge) => {
      const { byStatus } = await stage.deliver({ forge });
      expect(Object.keys(byStatus)).toEqual(['401']);
    });

    it('acts, and renews an ended token once', async () => {
      expect((await below(subject.action.method, subject.action.path)).status).toBeLessThan(300);
      if (subject.tokenEndpoint === undefined) return;
      stage.expireTokens();
      const done = await Promise.all([1, 2, 3].map(() => below(subject.action.method, subject.action.path)));
      expect(done.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(stage.renewals()).toEqual([subject.renewsBy ?? 'refresh_token']);
    });

    it.each(subject.operations.map((operation) => [operation.name, operation] as const))(
      'carries out %s once for one key, also when its answer was lost',
      async (name, operation) => {
        const carriedOut = stage.made(operation);
        const input = operation.input(stage);
        const call = (key: string) =>
          browser.api<{ code?: string }>('POST', `/v1/connections/${connectionId}/operations/${name}`, input, {
            headers: { 'idempotency-key': `${name}-${key}` },
          });
        const first = await call('first');
        expect(first.status).toBeLessThan(300);
        expect(await call('first')).toMatchObject({ status: first.status, body: first.body });
        expect(stage.made(operation)).toBe(carriedOut + 1);
        stage.cut(operation);
        const ends = [await call('lost'), await call('lost')];
        if (operation.repeat === 'none') expect(ends.map(({ body }) => body.code)).toEqual(['outcome_unknown', 'outcome_unknown']);
        else expect(ends[1]?.status).toBeLessThan(300);
        if (operation.repeat !== 'idempotent') expect(stage.made(operation)).toBe(carriedOut + 2);
      },
    );

    it.each([
      ['a refusal', { kind: 'status', status: 400 }],
      ['an outage', { kind: 'status', status: 503 }],
      ['nonsense', { kind: 'html-200' }],
    ] as const)('answers %s in plain words', async (_, fault) => {
      stage.fail(fault);
      const { method, path, ...sent } = { body: undefined, ...(subject.refused ?? subject.action) };
      const { status, body } = await below<{ code: string; detail: string; nextStep: string }>(method, path, sent.body);
      stage.fail(undefined);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(Object.keys(ERROR_KINDS)).toContain(body.code);
      expect(body.code).not.toBe('internal_error');
      expect(body.detail).toMatch(/^[A-Z].*\.$/);
      expect(body.nextStep).toMatch(/^[A-Z].*\.$/);
    });

    it('notices that the provider ended the access, and mends it on reconnecting', async () => {
      stage.revokeTokens();
      await below(subject.action.method, subject.action.path);
      const ended = await browser.eventually(async () => {
        const { body } = await api<ConnectionView>('GET', `/v1/connections/${connectionId}`);
        return body.status === 'needs_reauth' ? body : undefined;
      });
      expect(ended).toMatchObject({ connected: false, error: { code: 'needs_reauth' } });
      stage.admitAgain();
      const landed = await connect();
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
      const { endsAtProvider = true } = subject;
      expect(body).toEqual({ revoked: endsAtProvider });
      if (endsAtProvider) expect(stage.activeGrants()).toBe(0);
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
