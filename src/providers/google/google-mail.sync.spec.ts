import { providerFixture, walked, type ProviderFixture, type Walked } from '../../../test/support/provider-fixture';
import { loadSettings } from '../../config/env';
import { WatchService, type ConnectionRef, type SyncResource } from '../../integrations';
import { googleSettings } from './google.settings';
import { GoogleAuthService } from './google-auth.service';
import { GoogleCalendarSync } from './google-calendar.sync';
import { GoogleMailSync } from './google-mail.sync';
import { GoogleSyncService } from './google-sync.service';
import { GoogleWebhooksService } from './google-webhooks.service';
import { googleProvider } from './google.module';

const SETTINGS = { NODE_ENV: 'test', DATA_DIR: '/nonexistent', API_JWT_SECRET: 'x'.repeat(32), LOG_LEVEL: 'silent' };
const watches = { provide: WatchService, useValue: { find: () => Promise.resolve(undefined) } };

let fixture: ProviderFixture;

describe('a large mailbox', () => {
  const large = 'large@acme.test';
  const MAILS = 460;
  let owner: ConnectionRef;
  let mixed: typeof fetch;
  beforeAll(async () => {
    fixture = await providerFixture(
      [GoogleAuthService, GoogleCalendarSync, GoogleMailSync, GoogleSyncService, GoogleWebhooksService, watches],
      {
        GOOGLE_MAIL_NEWEST: 'all',
      },
    );
    const { module, settings } = fixture;
    const auth = module.get(GoogleAuthService);
    fixture.register(googleProvider(settings, { auth, sync: module.get(GoogleSyncService), webhooks: module.get(GoogleWebhooksService) }));
    const { control } = fixture.sandbox;
    owner = await fixture.connect('google', large);
    control.seed({ provider: 'google', account: large, resource: 'messages', count: MAILS - 10 });
    const authorization = `Bearer ${String(control.mint({ provider: 'google', account: large })['access_token'])}`;
    const governed = fixture.syncContext(owner).fetch;
    // So many mails would take minutes of the units that a person has: one by one they are read without the limiter.
    mixed = (input, init) => {
      if (!/\/messages\/\w/.test(input instanceof Request ? input.url : String(input))) return governed(input, init);
      return fetch(input, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), authorization } });
    };
  });
  afterAll(() => fixture.close());
  const messages = () => fixture.module.get(GoogleMailSync).messages;
  const context = (more: object = {}) => fixture.syncContext(owner, '', { fetch: mixed, ...more });
  const run = (of: SyncResource, cursor?: unknown, checkpoint?: unknown) =>
    walked(cursor === undefined ? of.full(context({ checkpoint })) : of.incremental!({ ...context({ checkpoint }), cursor }));
  const goesOn = ({ pages }: Walked) => pages.at(-1)?.more;

  it('reads the newest, then the older ones run by run, also after a kill, and says how far it is', async () => {
    const first = await run(messages());
    expect([first.records.size, goesOn(first), first.extent]).toEqual([
      200,
      true,
      { complete: false, why: 'The newest 200 mails are read; older ones follow.' },
    ]);
    const second = await run(messages(), first.cursor);
    expect([second.records.size, goesOn(second), second.extent]).toEqual([
      200,
      true,
      { complete: false, why: 'The newest 400 mails are read; older ones follow.' },
    ]);
    const resumed = await run(messages(), first.cursor, second.pages[1]?.checkpoint);
    expect([resumed.records.size, resumed.cursor]).toEqual([150, second.cursor]);
    const third = await run(messages(), second.cursor);
    expect([third.records.size, goesOn(third), third.extent]).toEqual([60, false, { complete: true }]);
    const read = [first, second, third].flatMap(({ records }) => [...records.keys()]);
    expect([read.length, new Set(read).size]).toEqual([MAILS, MAILS]);

    const later = await run(messages(), third.cursor);
    expect([later.pages.length, goesOn(later)]).toEqual([1, undefined]);
    const again = await walked(messages().full({ ...context(), previous: third.cursor, again: true }));
    expect([again.records.size, goesOn(again), again.extent]).toEqual([200, false, { complete: true }]);
    expect(again.cursor).toMatchObject({ read: { count: MAILS, all: true } });
    // The older ones were met by their ids, each once.
    const met = again.pages.flatMap((page) => page.met ?? []);
    expect([...again.records.keys(), ...met].sort()).toEqual([...new Set(read)].sort());
    const checkpoint = again.pages.at(-2)?.checkpoint;
    const rest = await walked(messages().full({ ...context({ checkpoint }), previous: third.cursor, again: true }));
    expect([rest.records.size, rest.pages.flatMap((page) => page.met ?? []), rest.extent]).toEqual([0, met, { complete: true }]);
    const lost = { ...(checkpoint as object), older: 'forgotten' };
    const anew = await walked(messages().full({ ...context({ checkpoint: lost }), previous: third.cursor, again: true }));
    expect(anew.pages.flatMap((page) => page.met ?? [])).toHaveLength(MAILS);
  });

  it('begins the older ones anew where Google forgot the page', async () => {
    const first = await run(messages());
    const lost = { ...(first.cursor as { read: object }), read: { count: 200, all: false, pageToken: 'forgotten' } };
    const second = await run(messages(), lost);
    expect(second.cursor).toMatchObject({ read: { count: 200, all: false } });
    expect(goesOn(second)).toBe(true);
  });

  it('holds a window, as long as nobody set it otherwise', async () => {
    const settings = loadSettings({ ...SETTINGS, ...fixture.sandbox.env() }, [googleSettings]);
    const mail = new GoogleMailSync(settings).messages;
    const window = await run(mail);
    expect([window.records.size, goesOn(window), window.extent]).toEqual([
      200,
      false,
      { complete: false, why: 'Holds the newest 200 mails and what came since.' },
    ]);
    const changes = await run(mail, window.cursor);
    expect([changes.records.size, changes.extent]).toEqual([0, window.extent]);
    // The setting was changed: what was read counts.
    expect((await run(messages(), window.cursor)).records.size).toBe(200);
  });

  it('holds more than a window by its history, and takes none of it for gone where Google forgot that', async () => {
    const account = 'window@acme.test';
    const { control } = fixture.sandbox;
    const connection = await fixture.connect('google', account);
    const authorization = `Bearer ${String(control.mint({ provider: 'google', account })['access_token'])}`;
    const governed = fixture.syncContext(connection).fetch;
    const through: typeof fetch = (input, init) => {
      if (!/\/messages\/\w/.test(input instanceof Request ? input.url : String(input))) return governed(input, init);
      return fetch(input, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), authorization } });
    };
    const at = fixture.syncContext(connection, '', { fetch: through });
    const mail = new GoogleMailSync(loadSettings({ ...SETTINGS, ...fixture.sandbox.env() }, [googleSettings])).messages;

    const first = await walked(mail.full(at));
    control.seed({ provider: 'google', account, resource: 'messages', count: 200 });
    const changes = await walked(mail.incremental!({ ...at, cursor: first.cursor }));
    expect([first.records.size, changes.records.size]).toEqual([10, 200]);

    control.expireCursors(account);
    await expect(walked(mail.incremental!({ ...at, cursor: changes.cursor }))).rejects.toMatchObject({ code: 'sync_cursor_expired' });
    const again = await walked(mail.full({ ...at, previous: changes.cursor, again: true }));
    expect([again.records.size, again.deleted, again.extent]).toEqual([200, [], { complete: true }]);
    // A setting that was smaller before: it is said what is held, and nothing of it is missed.
    const smaller = { ...(changes.cursor as object), read: { count: 200, all: false } };
    const window = await walked(mail.full({ ...at, previous: smaller, again: true }));
    expect(window.extent).toEqual({ complete: true, holds: 'Holds the newest 200 mails and what came since.' });
    // Those ten are not read again, and met.
    expect([...first.records.keys()].filter((id) => again.records.has(id))).toEqual([]);
    expect(again.pages.flatMap((page) => page.met ?? []).sort()).toEqual([...first.records.keys()].sort());
  });
});
